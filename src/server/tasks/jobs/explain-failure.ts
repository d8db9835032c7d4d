import { listSecrets, maskSecrets } from "../../../base/secret-names.ts";
import type { ActiveJob } from "../../core/jobs/job.ts";
import type { JobEvent } from "../../core/jobs/job-transition.ts";
import { toPlainLines } from "../../core/notices/plain-text.ts";
import { explainExit, findExitCause, findLossCause } from "../../core/running/failure-reason.ts";
import type { TaskContext } from "../context.ts";

const LINES_READ = 200;
const MAX_BYTES_READ = 256 * 1024;

/** The last lines of the job's log as plain text, without its secrets; none where it can't be read. */
export const readLastLines = async ({ logs, store }: TaskContext, job: ActiveJob): Promise<readonly string[]> => {
  try {
    const tail = await logs.readTail(job.id, LINES_READ);
    const text = new TextDecoder().decode(tail.subarray(-MAX_BYTES_READ));
    return toPlainLines(maskSecrets(text, listSecrets(store.loadEnvironment(job.id))));
  } catch {
    return [];
  }
};

/** The event, with what the last lines of the job's log say of a failure and its cause. */
export const explainFailure = (event: JobEvent, lines: readonly string[]): JobEvent => {
  if (event.kind === "lose") return { ...event, cause: findLossCause(event.reason) };
  if (event.kind !== "exit" || event.exitCode === 0) return event;
  return { ...event, hint: explainExit(event.exitCode, lines), cause: findExitCause(lines) };
};
