import { ok, type Result } from "../../base/result.ts";
import type { WireGpu } from "../gpu.ts";
import type { WireJob } from "../job.ts";
import type { ServerStatus } from "../node.ts";

export type ServerView = Readonly<{
  status: ServerStatus;
  gpus: readonly WireGpu[];
  running: readonly WireJob[];
  queued: readonly WireJob[];
}>;

type Get<Trouble> = <Value>(path: string) => Promise<Result<Value, Trouble>>;

/** What a server has and does, with the first `most` of its running and of its queued jobs. */
export const readServerView = async <Trouble>(
  get: Get<Trouble>,
  most: number,
): Promise<Result<ServerView, Trouble>> => {
  const [status, gpus, running, queued] = await Promise.all([
    get<ServerStatus>("/v1/server/status"),
    get<readonly WireGpu[]>("/v1/gpus"),
    get<readonly WireJob[]>(`/v1/jobs?status=running&limit=${most}`),
    get<readonly WireJob[]>(`/v1/jobs?status=queued&limit=${most}`),
  ]);
  if (!status.ok) return status;
  if (!gpus.ok) return gpus;
  if (!running.ok) return running;
  if (!queued.ok) return queued;
  return ok({ status: status.value, gpus: gpus.value, running: running.value, queued: queued.value });
};
