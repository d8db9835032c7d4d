import { err, type Result } from "../../base/result.ts";
import type { Failure } from "../../command-line/command.ts";
import { NO_SUCH_THING } from "../../command-line/usage.ts";
import type { WireJob } from "../../wire/job.ts";
import type { Api } from "../connection/api-client.ts";

export const askJob = async (api: Api, id: string): Promise<Result<WireJob, Failure>> => {
  const job = await api.get<WireJob>(`/v1/jobs/${encodeURIComponent(id)}`);
  return job.ok || job.error.code !== "JOB_NOT_FOUND" ? job : err({ ...job.error, exitCode: NO_SUCH_THING });
};
