import { describeGpus, type GpuState } from "../../core/gpu-selection.ts";
import type { JobCounts } from "../../core/ports.ts";
import type { ApiContext } from "../context.ts";
import { describeText, type Route, type RouteSpec } from "../route.ts";

type Sample = Readonly<{ labels: Readonly<Record<string, string>>; value: number }>;
type GpuUse = "running" | "blacklisted" | "occupied" | "free";

const GPU_USES: readonly GpuUse[] = ["running", "blacklisted", "occupied", "free"];

const spec: RouteSpec = {
  method: "get",
  path: "/metrics",
  tags: ["server"],
  summary: "Figures for Prometheus",
  responses: { 200: describeText("Prometheus text", "text/plain") },
};

const escapeLabel = (value: string): string =>
  value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");

const formatSample = (name: string, { labels, value }: Sample): string => {
  const pairs = Object.entries(labels).map(([label, text]) => `${label}="${escapeLabel(text)}"`);
  return `${name}${pairs.length === 0 ? "" : `{${pairs.join(",")}}`} ${value}`;
};

const formatGauge = (name: string, help: string, samples: readonly Sample[]): string =>
  [`# HELP ${name} ${help}`, `# TYPE ${name} gauge`, ...samples.map((sample) => formatSample(name, sample))].join("\n");

const nameUse = (gpu: GpuState): GpuUse => {
  if (gpu.runningJobId !== null) return "running";
  if (gpu.isBlacklisted) return "blacklisted";
  return gpu.processes.length > 0 ? "occupied" : "free";
};

const formatJobs = (counts: JobCounts): string =>
  formatGauge(
    "nexus_jobs",
    "Jobs by status",
    Object.entries(counts).map(([status, value]) => ({ labels: { status }, value })),
  );

const formatGpus = (gpus: readonly GpuState[]): string =>
  formatGauge(
    "nexus_gpus",
    "GPUs by use",
    GPU_USES.map((state) => ({ labels: { state }, value: gpus.filter((gpu) => nameUse(gpu) === state).length })),
  );

const single = (name: string, help: string, value: number, labels: Sample["labels"] = {}): string =>
  formatGauge(name, help, [{ labels, value }]);

const readMetrics = async ({ store, gpus, settings, metrics }: ApiContext): Promise<string> => {
  const reading = await gpus.read();
  const states = describeGpus(reading.ok ? reading.value : [], store.loadActiveJobs(), store.listBlacklist());
  const { rss, heapUsed } = process.memoryUsage();
  const sections = [
    single("nexus_build_info", "The version of the server", 1, { version: settings.version, node: settings.nodeName }),
    formatJobs(store.countJobs()),
    formatGpus(states),
    single("nexus_gpu_probe_up", "Whether the GPUs can be read", reading.ok ? 1 : 0),
    single("process_resident_memory_bytes", "Resident memory", rss),
    single("process_heap_bytes", "Memory of the JavaScript heap", heapUsed),
    single("process_uptime_seconds", "Seconds since the server started", process.uptime()),
    metrics?.().trimEnd() ?? "",
  ];
  return `${sections.filter((section) => section !== "").join("\n")}\n`;
};

export const createMetricsRoute = (context: ApiContext): Route => ({
  spec,
  handle: async () =>
    new Response(await readMetrics(context), {
      headers: { "Content-Type": "text/plain; version=0.0.4; charset=utf-8" },
    }),
});
