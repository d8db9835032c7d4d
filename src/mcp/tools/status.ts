import { z } from "zod";
import { ok, type Result } from "../../base/result.ts";
import { describeDrain } from "../../wire/drain/drain-text.ts";
import type { WireGpu } from "../../wire/gpu.ts";
import { listGpuUses } from "../../wire/gpus/gpu-text.ts";
import type { WireJob } from "../../wire/job.ts";
import type { ServerStatus } from "../../wire/node.ts";
import type { Ask, Trouble } from "../ask.ts";
import { describeBriefly, leaveOutUnknown, readNow } from "../brief-job.ts";
import { defineTool, type Facts, type Tool } from "../tool.ts";

type Overview = Readonly<{
  status: ServerStatus;
  gpus: readonly WireGpu[];
  running: readonly WireJob[];
  queued: readonly WireJob[];
}>;

const SHOWN = 5;

const readOverview = async (ask: Ask): Promise<Result<Overview, Trouble>> => {
  const [status, gpus, running, queued] = await Promise.all([
    ask.get<ServerStatus>("/v1/server/status"),
    ask.get<readonly WireGpu[]>("/v1/gpus"),
    ask.get<readonly WireJob[]>(`/v1/jobs?status=running&limit=${SHOWN}`),
    ask.get<readonly WireJob[]>(`/v1/jobs?status=queued&limit=${SHOWN}`),
  ]);
  if (!status.ok) return status;
  if (!gpus.ok) return gpus;
  if (!running.ok) return running;
  if (!queued.ok) return queued;
  return ok({ status: status.value, gpus: gpus.value, running: running.value, queued: queued.value });
};

const describeGpu = (gpu: WireGpu): Facts =>
  leaveOutUnknown({
    index: gpu.index,
    name: gpu.name,
    use: listGpuUses(gpu)
      .map(({ text }) => text)
      .join(", "),
    used_mib: gpu.memory_used,
    total_mib: gpu.memory_total,
  });

const listWarnings = ({ status }: Overview): readonly string[] =>
  [
    status.mock ? "the GPUs are mock ones, so jobs run without a GPU" : null,
    status.drain ? describeDrain(status.drain) : null,
    status.disk_error ?? null,
    status.machine_error ?? null,
    status.gpu_error,
    status.gpu_hint,
  ].filter((warning) => warning !== null);

const describe = (overview: Overview, target: string): Facts => {
  const { status, gpus, running, queued } = overview;
  const now = readNow();
  return leaveOutUnknown({
    target,
    node: status.node_name,
    gpus: gpus.map(describeGpu),
    running: status.running_jobs,
    running_jobs: running.map((job) => describeBriefly(job, now)),
    queued: status.queued_jobs,
    queue_head: queued.map((job) => describeBriefly(job, now)),
    warnings: listWarnings(overview),
  });
};

export const status: Tool = defineTool(
  {
    name: "status",
    title: "Status",
    description: "The server's GPUs and who uses them, running jobs, the head of the queue, warnings.",
    kind: "reads",
    input: z.strictObject({}),
  },
  async ({ ask, target }) => {
    const overview = await readOverview(ask);
    return overview.ok ? ok(describe(overview.value, target)) : overview;
  },
);
