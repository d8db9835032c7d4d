import { z } from "zod";
import { ok } from "../../base/result.ts";
import { describeDrain } from "../../wire/drain/drain-text.ts";
import type { WireGpu } from "../../wire/gpu.ts";
import { listGpuUses } from "../../wire/gpus/gpu-text.ts";
import { readServerView, type ServerView } from "../../wire/views/server-view.ts";
import { describeBriefly, leaveOutUnknown, readNow } from "../brief-job.ts";
import { defineTool, type Facts, type Tool } from "../tool.ts";

const SHOWN = 5;

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

const listWarnings = ({ status }: ServerView): readonly string[] =>
  [
    status.mock ? "the GPUs are mock ones, so jobs run without a GPU" : null,
    status.drain ? describeDrain(status.drain) : null,
    status.disk_error ?? null,
    status.machine_error ?? null,
    status.gpu_error,
    status.gpu_hint,
  ].filter((warning) => warning !== null);

const describe = (overview: ServerView, target: string): Facts => {
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
    const overview = await readServerView(ask.get, SHOWN);
    return overview.ok ? ok(describe(overview.value, target)) : overview;
  },
);
