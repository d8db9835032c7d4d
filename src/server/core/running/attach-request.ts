import { err, ok, type Problem, type Result } from "../../../base/result.ts";
import type { JobId } from "../jobs/job.ts";

const ID = "([a-z0-9][a-z0-9-]{0,63})";
const FORMS: readonly RegExp[] = [
  new RegExp(`^attach ${ID}$`),
  new RegExp(`^(?:screen (?:-[dDrRUx]+ )*)?(?:\\d+\\.)?nexus_job_${ID}$`),
];

/** The job that is asked for by what an SSH client would run, as `attach k3f9ab`, or by the name of its screen session. */
export const parseAttachRequest = (asked: string): Result<JobId, Problem> => {
  const id = FORMS.map((form) => form.exec(asked)?.[1]).find((found) => found !== undefined);
  if (id !== undefined) return ok(id as JobId);
  return err({ message: "this key opens a running job's terminal and nothing else: ssh -t … attach JOB_ID" });
};
