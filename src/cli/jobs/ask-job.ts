import { ok } from "../../base/result.ts";
import type { WireJob } from "../../wire/job.ts";
import type { Api } from "../connection/api-client.ts";
import type { ApiResult } from "../connection/api-failure.ts";

const AT_ONCE = 32;

export const askJob = (api: Api, id: string): ApiResult<WireJob> =>
  api.get<WireJob>(`/v1/jobs/${encodeURIComponent(id)}`);

/** In the order of the ids; fails where there is not each of them. */
export const askJobs = async (api: Api, ids: readonly string[]): ApiResult<readonly WireJob[]> => {
  const jobs: WireJob[] = [];
  while (jobs.length < ids.length) {
    const answers = await Promise.all(ids.slice(jobs.length, jobs.length + AT_ONCE).map((id) => askJob(api, id)));
    for (const job of answers) {
      if (!job.ok) return job;
      jobs.push(job.value);
    }
  }
  return ok(jobs);
};
