import { ok, type Result } from "../../base/result.ts";
import type { Failure, FlagValues, Invocation, Outcome, Verb } from "../../command-line/command.ts";
import { readWhole } from "../../command-line/flag-values.ts";
import { failUsage } from "../../command-line/usage.ts";
import type { JobRequestInput } from "../../wire/job.ts";
import { MAX_BATCH_SIZE, PRIORITY } from "../../wire/limits.ts";
import type { Api } from "../connection/api-client.ts";
import { connect } from "../connection/connect.ts";
import { listRows } from "../documents/rows.ts";
import { JOB_FIELDS } from "../fields/field-table.ts";
import { findNeeds } from "../jobs/words/needed-jobs.ts";
import { confirmCommand } from "../submission/confirm-command.ts";
import { chooseReading, expandWords } from "../submission/expand-words.ts";
import { fitBatch } from "../submission/fit-batch.ts";
import { planSubmission } from "../submission/plan-submission.ts";
import { QUEUE_FLAGS, queueRequests } from "../submission/queue-requests.ts";
import { takeSbatch } from "../submission/sbatch/take-sbatch.ts";
import { SUBMISSION_FLAGS } from "../submission/submission-flags.ts";
import { submitBatch } from "../submission/submit-jobs.ts";

const expand = async ({ flags, words }: Invocation): Promise<Result<readonly string[], Failure>> => {
  if (words.length === 0) return failUsage("nx add needs a command", "for example: nx add python3 train.py");
  const repeat = readWhole(flags, "repeat", { min: 1, max: MAX_BATCH_SIZE });
  if (!repeat.ok) return repeat;
  const reading = await chooseReading(words, flags);
  return reading.ok ? expandWords(words, repeat.value ?? 1, reading.value) : reading;
};

type Planned = Readonly<{ flags: FlagValues; requests: readonly JobRequestInput[] }>;

const planRequests = async (invocation: Invocation, api: Api): Promise<Result<Planned, Failure>> => {
  const commands = await expand(invocation);
  if (!commands.ok) return commands;
  const plan = await planSubmission(invocation.flags, api.target, JOB_FIELDS);
  if (!plan.ok) return plan;
  const { flags, options } = plan.value;
  const priority = readWhole(flags, "priority", PRIORITY);
  if (!priority.ok) return priority;
  const needed = await findNeeds(api, options);
  if (!needed.ok) return needed;
  const requests = commands.value.map((command) => ({ ...needed.value, command, priority: priority.value ?? 0 }));
  return ok({ flags, requests });
};

const run = async (given: Invocation): Promise<Outcome> => {
  const confirmed = await confirmCommand(given);
  if (!confirmed.ok) return confirmed;
  const taken = takeSbatch(given);
  if (!taken.ok) return taken;
  const api = await connect(taken.value.flags);
  if (!api.ok) return api;
  const planned = await planRequests(taken.value, api.value);
  if (!planned.ok) return planned;
  const { flags, requests } = planned.value;
  const fitting = fitBatch(requests, given.flags);
  if (!fitting.ok) return fitting;
  return queueRequests(api.value, flags, fitting.value, (agreed) => submitBatch(api.value, flags, agreed));
};

export const verb: Verb = listRows({
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
});
