import type { WireJob } from "../../wire/job.ts";
import type { Api } from "../connection/api-client.ts";
import type { ApiResult } from "../connection/api-failure.ts";

export const askJob = (api: Api, id: string): ApiResult<WireJob> =>
  api.get<WireJob>(`/v1/jobs/${encodeURIComponent(id)}`);
