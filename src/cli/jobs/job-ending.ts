import { escapeText } from "../../base/escape-text.ts";
import { err, ok } from "../../base/result.ts";
import type { Outcome } from "../../command-line/command.ts";
import type { WireJob } from "../../wire/job.ts";

const KILLED_EXIT_CODE = 143;
const LOST_EXIT_CODE = 1;

/** The job's own exit code; for one that has none, 143 when it was killed and 1 when it was lost. */
export const chooseExitCode = (job: WireJob): number =>
  job.exit_code ?? (job.status === "killed" ? KILLED_EXIT_CODE : LOST_EXIT_CODE);

/** What is to be said of a failure beside its exit code; null where there is nothing more. */
export const findReason = ({ error_message: message }: WireJob): string | null => {
  const reason = (message ?? "").replace(/^Job failed with exit code \d+(?:\. |$)/, "").replace(/^Job was /, "");
  return reason === "" ? null : reason;
};

/** In one line, as in "Job k3f9ab failed with exit code 3". */
export const describeEnding = (job: WireJob): string => {
  if (job.status === "killed") return `Job ${job.id} was killed`;
  const ending = job.exit_code === null ? "" : ` with exit code ${job.exit_code}`;
  const reason = findReason(job);
  return `Job ${job.id} ${job.status}${ending}${reason === null ? "" : `: ${escapeText(reason)}`}`;
};

/** What comes after the last attempt of a job that waits for another, as in "Job k3f9ab failed with exit code 3; attempt 2 of 4 follows". */
export const describeNext = (job: WireJob): string | null => {
  const [count, last] = [job.attempts?.length ?? 0, job.attempts?.at(-1)];
  if (job.status !== "queued" || last === undefined) return null;
  const { exit_code, reason: error_message } = last;
  const failed = describeEnding({ ...job, status: "failed", exit_code, error_message });
  return `${failed}; attempt ${count + 1} of ${(job.retry?.count ?? count) + 1} follows`;
};

/** With the job's own exit code; as JSON a failure says that it is the job's, and not one of `nx`. */
export const concludeJob = (job: WireJob, isJson: boolean): Outcome => {
  const exitCode = chooseExitCode(job);
  if (exitCode === 0 || !isJson) return ok(exitCode);
  const code = job.status === "killed" ? "JOB_KILLED" : "JOB_FAILED";
  return err({ exitCode, code, message: describeEnding(job), hint: `see its output with: nx logs ${job.id}` });
};
