import { ok, type Result } from "../../base/result.ts";
import { phraseFailure } from "../../command-line/usage.ts";
import type { WireGpu } from "../../wire/gpu.ts";
import type { WireJob } from "../../wire/job.ts";
import type { ServerStatus } from "../../wire/node.ts";
import type { Api } from "../connection/api-client.ts";
import type { ApiFailure } from "../connection/api-failure.ts";
import type { Effect } from "./actions.ts";
import { readLogLines } from "./log-lines.ts";
import type { JobLog, ServerView } from "./top-state.ts";

const MOST_JOBS = 200;

export const readView = async (api: Api): Promise<Result<ServerView, ApiFailure>> => {
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

type Change = Extract<Effect, { id: string }>;

const send = (api: Api, change: Change): Promise<Result<unknown, ApiFailure>> => {
  const path = `/v1/jobs/${encodeURIComponent(change.id)}`;
  switch (change.kind) {
    case "kill":
      return api.send("POST", `${path}/kill`);
    case "remove":
      return api.send("DELETE", path);
    case "prioritise":
      return api.send("PATCH", path, { priority: change.priority });
  }
};

const describeDone = (change: Change): string => {
  switch (change.kind) {
    case "kill":
      return `Job ${change.id} is being killed.`;
    case "remove":
      return `Job ${change.id} is removed.`;
    case "prioritise":
      return `Job ${change.id} has priority ${change.priority}.`;
  }
};

/** What came of it, in one line. */
export const carryOut = async (api: Api, change: Change): Promise<string> => {
  const sent = await send(api, change);
  return sent.ok ? describeDone(change) : phraseFailure(sent.error);
};
