import { jobIdSchema } from "../../../wire/job.ts";
import type { Job, JobId } from "../../core/jobs/job.ts";
import { createRefusal, type Refusal } from "../../core/refusal.ts";
import type { Store } from "../../core/store.ts";
import type { AppRequest } from "../context.ts";
import { respondRefusal } from "../http/error-response.ts";

/** The id in the request's path, or null for a text that no job can be called. */
export const readJobId = ({ req }: AppRequest): JobId | null => {
  const id = jobIdSchema.safeParse(req.param("id"));
  return id.success ? (id.data as JobId) : null;
};

export const findJob = (store: Pick<Store, "findJob">, request: AppRequest): Job | null => {
  const id = readJobId(request);
  return id === null ? null : store.findJob(id);
};

export const createUnknownJob = ({ req }: AppRequest): Refusal =>
  createRefusal("JOB_NOT_FOUND", `There is no job ${req.param("id")?.slice(0, 64)}`);

export const refuseUnknown = (request: AppRequest): Response => respondRefusal(createUnknownJob(request));
