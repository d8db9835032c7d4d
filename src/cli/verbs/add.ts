import { ok, type Result } from "../../base/result.ts";
import type { Failure, Invocation, Outcome, Verb } from "../../command-line/command.ts";
import { readWhole } from "../../command-line/flag-values.ts";
import { failUsage } from "../../command-line/usage.ts";
import type { JobRequestInput } from "../../wire/job.ts";
import { MAX_BATCH_SIZE } from "../../wire/limits.ts";
import type { Api } from "../connection/api-client.ts";
import { connect } from "../connection/connect.ts";
import { confirmCommand } from "../submission/confirm-command.ts";
import { chooseReading, expandWords } from "../submission/expand-words.ts";
import { readJobOptions } from "../submission/job-options.ts";
import { PRIORITY, QUEUE_FLAGS, queueRequests } from "../submission/queue-requests.ts";
import { SUBMISSION_FLAGS } from "../submission/submission-flags.ts";
import { submitBatch } from "../submission/submit-jobs.ts";
import { takeSbatch } from "../submission/take-sbatch.ts";

const expand = async ({ flags, words }: Invocation): Promise<Result<readonly string[], Failure>> => {
  if (words.length === 0) return failUsage("nx add needs a command, as in: nx add python3 train.py");
  const repeat = readWhole(flags, "repeat", { min: 1, max: MAX_BATCH_SIZE });
  if (!repeat.ok) return repeat;
  const reading = await chooseReading(words, flags);
  return reading.ok ? expandWords(words, repeat.value ?? 1, reading.value) : reading;
};

const planRequests = async (invocation: Invocation, api: Api): Promise<Result<readonly JobRequestInput[], Failure>> => {
  const commands = await expand(invocation);
  if (!commands.ok) return commands;
  const priority = readWhole(invocation.flags, "priority", PRIORITY);
  if (!priority.ok) return priority;
  const options = await readJobOptions(invocation.flags, api.target);
  if (!options.ok) return options;
  return ok(commands.value.map((command) => ({ ...options.value, command, priority: priority.value ?? 0 })));
};

const run = async (given: Invocation): Promise<Outcome> => {
  const confirmed = await confirmCommand(given);
  if (!confirmed.ok) return confirmed;
  const taken = takeSbatch(given);
  if (!taken.ok) return taken;
  const invocation = taken.value;
  const { flags } = invocation;
  const api = await connect(flags);
  if (!api.ok) return api;
  const requests = await planRequests(invocation, api.value);
  if (!requests.ok) return requests;
  return queueRequests(api.value, flags, requests.value, (agreed) => submitBatch(api.value, flags, agreed));
};

export const verb: Verb = {
  name: "add",
  usage: "nx add [flags] command…",
  summary: "queue a command, or many at once",
  flags: [...QUEUE_FLAGS, { long: "sbatch", help: "take the #SBATCH lines of the script" }, ...SUBMISSION_FLAGS],
  isCommand: true,
  examples: [
    "nx add python3 train.py --lr '{0.1,0.01}' --seed '{1..3}'",
    "nx add -r 5 'python3 train.py --seed {RANDINT:1,999}'",
  ],
  run,
};
