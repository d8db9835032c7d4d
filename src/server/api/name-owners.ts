import type { JobRequest, JobSubmission } from "../../shared/job.ts";
import { err, ok, type Result } from "../../shared/result.ts";
import type { AppRequest } from "./context.ts";
import type { Failure } from "./error-response.ts";
import { permit } from "./permit.ts";
import { createInvalid, type Place } from "./validation.ts";

const refuseNameless = (place: Place): Result<never, Failure> =>
  err(
    createInvalid([
      { loc: [...place, "user"], msg: "Invalid input: expected string, received undefined", type: "invalid_type" },
    ]),
  );

const permitOwners = (request: AppRequest, jobs: readonly JobRequest[]): Result<unknown, Failure> => {
  for (const user of new Set(jobs.map((job) => job.user))) {
    const permitted = permit(request, { act: "submit as", user });
    if (!permitted.ok) return permitted;
  }
  return ok(undefined);
};

/** The requests, each with the name of whom its job will be, if who asks may submit for all of them. */
export const nameOwners = (
  request: AppRequest,
  submissions: readonly JobSubmission[],
  locate: (index: number) => Place,
): Result<readonly JobRequest[], Failure> => {
  const own = request.get("identity")?.name ?? undefined;
  const jobs: JobRequest[] = [];
  for (const [index, submission] of submissions.entries()) {
    const user = submission.user ?? own;
    if (user === undefined) return refuseNameless(["body", ...locate(index)]);
    jobs.push({ ...submission, user });
  }
  const permitted = permitOwners(request, jobs);
  return permitted.ok ? ok(jobs) : permitted;
};
