import type { Result } from "../../base/result.ts";
import type { Failure, FlagValues, Invocation, Outcome, Verb } from "../../command-line/command.ts";
import { failState, failUsage } from "../../command-line/usage.ts";
import type { JobRequestInput, WireJob } from "../../wire/job.ts";
import type { Api } from "../connection/api-client.ts";
import { connect } from "../connection/connect.ts";
import { askJobs } from "../jobs/ask-job.ts";
import { readProject } from "../project/read-project.ts";
import { confirmCommand } from "../submission/confirm-command.ts";
import { chooseReading } from "../submission/expand-words.ts";
import { QUEUE_FLAGS, queueRequests } from "../submission/queue-requests.ts";
import { redoRequests } from "../submission/redo-requests.ts";
import { SUBMISSION_FLAGS } from "../submission/submission-flags.ts";
import { submitKnown } from "../submission/submit-jobs.ts";

const refuseGone = (jobs: readonly WireJob[], message: string): Result<never, Failure> => {
  const input = jobs.find(({ input_artifact_id: id }) => id && message.includes(id));
  if (input !== undefined) {
    return failState(`the standard input of job ${input.id} is no longer kept`, "give it anew with nx run");
  }
  const gone = jobs.find((job) => job.artifact_id !== null && message.includes(job.artifact_id)) ?? jobs[0];
  const from = gone?.git_commit ? `, from a checkout of ${gone.git_commit}` : "";
  return failState(`the code of job ${gone?.id} is no longer kept`, `send it anew with nx add${from}`);
};

const submitAgain =
  (api: Api, flags: FlagValues, jobs: readonly WireJob[]) =>
  async (requests: readonly JobRequestInput[]): Promise<Result<readonly WireJob[], Failure>> => {
    const submitted = await submitKnown(api, flags, requests);
    const isGone = !submitted.ok && submitted.error.code === "ARTIFACT_NOT_FOUND";
    return isGone ? refuseGone(jobs, submitted.error.message) : submitted;
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
  return queueRequests(api.value, flags, requests.value, submitAgain(api.value, flags, jobs.value));
};

const ABOUT_CODE = ["no-git"];

export const verb: Verb = {
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
};
