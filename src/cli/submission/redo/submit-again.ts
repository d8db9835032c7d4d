import type { Result } from "../../../base/result.ts";
import type { Failure, FlagValues } from "../../../command-line/command.ts";
import { failState } from "../../../command-line/usage.ts";
import type { JobRequestInput, WireJob } from "../../../wire/job.ts";
import type { Api } from "../../connection/api-client.ts";
import { submitKnown } from "../submit-jobs.ts";

type Submit = (requests: readonly JobRequestInput[]) => Promise<Result<readonly WireJob[], Failure>>;

const refuseGone = (jobs: readonly WireJob[], message: string): Result<never, Failure> => {
  const input = jobs.find(({ input_artifact_id: id }) => id && message.includes(id));
  if (input !== undefined) {
    return failState(`the standard input of job ${input.id} is no longer kept`, "give it anew with nx run");
  }
  const gone = jobs.find((job) => job.artifact_id !== null && message.includes(job.artifact_id)) ?? jobs[0];
  const from = gone?.git_commit ? `, from a checkout of ${gone.git_commit}` : "";
  return failState(`the code of job ${gone?.id} is no longer kept`, `send it anew with nx add${from}`);
};

/** Submits requests for these jobs again; where their code is gone, it is said which. */
export const submitAgain =
  (api: Api, flags: FlagValues, jobs: readonly WireJob[]): Submit =>
  async (requests) => {
    const submitted = await submitKnown(api, flags, requests);
    const isGone = !submitted.ok && submitted.error.code === "ARTIFACT_NOT_FOUND";
    return isGone ? refuseGone(jobs, submitted.error.message) : submitted;
  };
