import type { WireGpu } from "../../shared/gpu.ts";
import type { WireJob } from "../../shared/job.ts";
import type { ServerStatus } from "../../shared/node.ts";
import { ok, type Result } from "../../shared/result.ts";
import type { Api, ApiFailure } from "../api-client.ts";
import { readLogLines } from "./log-lines.ts";
import type { JobLog, Snapshot } from "./top-state.ts";

const MOST_JOBS = 200;

export const readSnapshot = async (api: Api): Promise<Result<Snapshot, ApiFailure>> => {
  const [status, gpus, running, queued] = await Promise.all([
    api.get<ServerStatus>("/v1/server/status"),
    api.get<readonly WireGpu[]>("/v1/gpus"),
    api.get<readonly WireJob[]>(`/v1/jobs?status=running&limit=${MOST_JOBS}`),
    api.get<readonly WireJob[]>(`/v1/jobs?status=queued&limit=${MOST_JOBS}`),
  ]);
  if (!status.ok) return status;
  if (!gpus.ok) return gpus;
  if (!running.ok) return running;
  if (!queued.ok) return queued;
  return ok({ status: status.value, gpus: gpus.value, running: running.value, queued: queued.value });
};

/** The last lines, and the job as it stands by then. */
export const readJobLog = async (api: Api, id: string, count: number): Promise<Result<JobLog, ApiFailure>> => {
  const path = `/v1/jobs/${encodeURIComponent(id)}`;
  const [job, log] = await Promise.all([
    api.get<WireJob>(path),
    api.get<{ data: string }>(`${path}/logs?last_n_lines=${count}`),
  ]);
  if (!job.ok) return job;
  return log.ok ? ok({ job: job.value, lines: readLogLines(log.value.data) }) : log;
};
