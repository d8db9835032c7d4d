import { randomInt } from "node:crypto";
import { escapeText } from "../../base/escape-text.ts";
import { ok, type Result } from "../../base/result.ts";
import {
  DONE,
  type Failure,
  type FlagValues,
  type Invocation,
  type Outcome,
  type Verb,
} from "../../command-line/command.ts";
import { readSwitch, readWhole } from "../../command-line/flag-values.ts";
import { fail, failUsage } from "../../command-line/usage.ts";
import type { JobRequestInput, WireJob } from "../../wire/job.ts";
import { MAX_BATCH_SIZE } from "../../wire/limits.ts";
import type { Api } from "../connection/api-client.ts";
import { connect } from "../connection/connect.ts";
import { warnOfHealth } from "../jobs/warn-of-health.ts";
import { expandCommand, findDoubtfulLists } from "../submission/expansion.ts";
import { glueWords, isBlank, joinCommand, splitWords } from "../submission/job-command.ts";
import { readJobOptions } from "../submission/job-options.ts";
import { showRequest } from "../submission/show-request.ts";
import { SUBMISSION_FLAGS } from "../submission/submission-flags.ts";
import { submitBatch } from "../submission/submit-jobs.ts";
import { hint, print, printJson } from "../terminal/output.ts";
import { confirm } from "../terminal/prompt.ts";

const SHOWN = 10;
const PRIORITY = { min: -9999, max: 9998 };

const draw = (min: number, max: number): number => randomInt(min, max + 1);

const warnOfList = (list: string): void => {
  const literal = list.replaceAll("{", "\\{");
  hint(escapeText(`Warning: ${list} makes a job for each part between commas; to have it as it is, write ${literal}`));
};

const expand = ({ flags, words }: Invocation): Result<readonly string[], Failure> => {
  if (words.length === 0) return failUsage("nx add needs a command, as in: nx add python3 train.py");
  if (isBlank(words)) return failUsage("the command is blank");
  const repeat = readWhole(flags, "repeat", { min: 1, max: MAX_BATCH_SIZE });
  if (!repeat.ok) return repeat;
  const glued = glueWords(words);
  for (const list of findDoubtfulLists(glued)) warnOfList(list);
  const expanded = expandCommand(glued, repeat.value ?? 1, draw);
  return expanded.ok ? ok(expanded.value.map((command) => joinCommand(splitWords(command)))) : expanded;
};

const planRequests = (invocation: Invocation, api: Api): Result<readonly JobRequestInput[], Failure> => {
  const commands = expand(invocation);
  if (!commands.ok) return commands;
  const priority = readWhole(invocation.flags, "priority", PRIORITY);
  if (!priority.ok) return priority;
  const options = readJobOptions(invocation.flags, api.target.config);
  if (!options.ok) return options;
  return ok(commands.value.map((command) => ({ ...options.value, command, priority: priority.value ?? 0 })));
};

const confirmMany = async (
  requests: readonly JobRequestInput[],
  flags: FlagValues,
): Promise<Result<boolean, Failure>> => {
  if (requests.length === 1 || readSwitch(flags, "yes")) return ok(true);
  for (const { command } of requests.slice(0, SHOWN)) hint(`  ${escapeText(command)}`);
  if (requests.length > SHOWN) hint(`  … and ${requests.length - SHOWN} more`);
  return confirm(`Add ${requests.length} jobs?`, true);
};

const report = (jobs: readonly WireJob[], flags: FlagValues): void => {
  if (readSwitch(flags, "json")) printJson(jobs);
  else if (readSwitch(flags, "quiet")) print(jobs.map((job) => job.id).join("\n"));
  else if (jobs.length === 1) print(`Job ${jobs[0]?.id} is queued. See it with: nx queue`);
  else print(`${jobs.length} jobs are queued: ${jobs[0]?.id} … ${jobs.at(-1)?.id}. See them with: nx queue`);
};

const submit = async (api: Api, requests: readonly JobRequestInput[], flags: FlagValues): Promise<Outcome> => {
  const jobs = await submitBatch(api, flags, requests);
  if (!jobs.ok) return jobs;
  report(jobs.value, flags);
  await warnOfHealth(api);
  return DONE;
};

const run = async (invocation: Invocation): Promise<Outcome> => {
  const { flags } = invocation;
  const api = await connect(flags);
  if (!api.ok) return api;
  const requests = planRequests(invocation, api.value);
  if (!requests.ok) return requests;
  if (readSwitch(flags, "dry-run")) {
    printJson(requests.value.map(showRequest));
    return DONE;
  }
  const agreed = await confirmMany(requests.value, flags);
  if (!agreed.ok) return agreed;
  return agreed.value ? submit(api.value, requests.value, flags) : fail("nothing was added");
};

export const verb: Verb = {
  name: "add",
  usage: "nx add [flags] command…",
  summary: "queue a command, or many at once",
  flags: [
    { long: "repeat", short: "r", value: "N", help: "add each N times" },
    { long: "priority", short: "p", value: "N", help: "higher starts earlier (default: 0)" },
    ...SUBMISSION_FLAGS,
  ],
  isCommand: true,
  examples: [
    "nx add python3 train.py --lr {0.1,0.01} --seed {1,2,3}",
    "nx add -r 5 'python3 train.py --seed {RANDINT:1,999}'",
  ],
  run,
};
