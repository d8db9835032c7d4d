import { jobIdSchema } from "../../shared/job.ts";
import type { Job, JobId } from "../core/job.ts";
import type { Store } from "../core/ports.ts";
import type { AppRequest } from "./context.ts";
import { createFailure, type Failure, respondFailure } from "./error-response.ts";

/** The id in the request's path, or null for a text that no job can be called. */
export const readJobId = ({ req }: AppRequest): JobId | null => {
  const id = jobIdSchema.safeParse(req.param("id"));
  return id.success ? (id.data as JobId) : null;
};

export const findJob = (store: Pick<Store, "findJob">, request: AppRequest): Job | null => {
  const id = readJobId(request);
  return id === null ? null : store.findJob(id);
};

export const createUnknownJob = ({ req }: AppRequest): Failure =>
  createFailure("JOB_NOT_FOUND", `There is no job ${req.param("id")?.slice(0, 64)}`);

export const refuseUnknown = (request: AppRequest): Response => respondFailure(createUnknownJob(request));
