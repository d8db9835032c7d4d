import { err, ok, type Result } from "../../../base/result.ts";
import type { JobRequest, JobSubmission } from "../../../wire/job.ts";
import { createInvalid, type Place, type Refusal } from "../../core/refusal.ts";
import type { AppRequest } from "../context.ts";
import { permit } from "./permit.ts";

const refuseNameless = (place: Place): Result<never, Refusal> =>
  err(
    createInvalid([
      { loc: [...place, "user"], msg: "Invalid input: expected string, received undefined", type: "invalid_type" },
    ]),
  );

const permitOwners = (request: AppRequest, jobs: readonly JobRequest[]): Result<unknown, Refusal> => {
  for (const user of new Set(jobs.map((job) => job.user))) {
    const permitted = permit(request, { act: "submit as", user });
    if (!permitted.ok) return permitted;
  }
  return jobs.some((job) => job.ignore_blacklist) ? permit(request, { act: "pass a blacklist" }) : ok(undefined);
};

/** The requests, each with the name of whom its job will be, if who asks may submit for all of them. */
export const nameOwners = (
  request: AppRequest,
  submissions: readonly JobSubmission[],
  locate: (index: number) => Place,
): Result<readonly JobRequest[], Refusal> => {
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
