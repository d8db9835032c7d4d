import type { Result } from "../../base/result.ts";
import type { Failure, FlagValues, Invocation, Outcome, Verb } from "../../command-line/command.ts";
import { failUsage } from "../../command-line/usage.ts";
import type { JobRequestInput } from "../../wire/job.ts";
import type { Api } from "../connection/api-client.ts";
import { connect } from "../connection/connect.ts";
import { listRows } from "../documents/rows.ts";
import { WAIT_FIELDS } from "../fields/field-table.ts";
import { readFields } from "../fields/job-field.ts";
import { askJobs } from "../jobs/ask-job.ts";
import { findNeeds } from "../jobs/words/needed-jobs.ts";
import { readProject } from "../project/read-project.ts";
import { confirmCommand } from "../submission/confirm-command.ts";
import { chooseReading } from "../submission/expand-words.ts";
import { fitBatch } from "../submission/fit-batch.ts";
import { QUEUE_FLAGS, queueRequests } from "../submission/queue-requests.ts";
import { redoRequests } from "../submission/redo/redo-requests.ts";
import { submitAgain } from "../submission/redo/submit-again.ts";
import { SUBMISSION_FLAGS } from "../submission/submission-flags.ts";

type Requests = readonly JobRequestInput[];

const addWaits = async (api: Api, flags: FlagValues, requests: Requests): Promise<Result<Requests, Failure>> => {
  const needed = await findNeeds(api, readFields(WAIT_FIELDS, flags));
  if (!needed.ok) return needed;
  return fitBatch(
    requests.map((request) => ({ ...request, ...needed.value })),
    flags,
  );
};

const run = async (invocation: Invocation): Promise<Outcome> => {
  const { flags, words, command } = invocation;
  if (words.length === 0) return failUsage("nx redo takes job ids", "see nx history, for example: nx redo k3f9ab");
  const confirmed = await confirmCommand(invocation);
  if (!confirmed.ok) return confirmed;
  const api = await connect(flags);
  if (!api.ok) return api;
  const jobs = await askJobs(api.value, words);
  if (!jobs.ok) return jobs;
  const reading = await chooseReading(command ?? [], flags);
  if (!reading.ok) return reading;
  const { target } = api.value;
  const project = await readProject(flags, target.name);
  if (!project.ok) return project;
  const wanted = { flags, command, reading: reading.value, project: project.value, target };
  const requests = await redoRequests(jobs.value, wanted);
  if (!requests.ok) return requests;
  const asked = await addWaits(api.value, flags, requests.value);
  if (!asked.ok) return asked;
  return queueRequests(api.value, flags, asked.value, submitAgain(api.value, flags, jobs.value));
};

const ABOUT_CODE = ["no-git"];

export const verb: Verb = listRows({
  name: "redo",
  usage: "nx redo ID… [flags] [-- command…]",
  summary: "queue jobs again, with the code that they ran",
  flags: [
    { long: "without", value: "NAME", many: true, help: "leave out this variable, which has no value any more" },
    ...QUEUE_FLAGS,
    ...SUBMISSION_FLAGS.filter(({ long }) => !ABOUT_CODE.includes(long)),
  ],
  takesCommand: true,
  examples: ["nx redo k3f9ab", "nx redo k3f9ab -g 2 -- python3 train.py --lr '{0.1,0.01}'"],
  run,
});
