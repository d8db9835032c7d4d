import { expect, test } from "bun:test";
import { parseExposition, readFigure } from "../../../../tests/support/parse-exposition.ts";
import { createGpu, createRunning } from "../../../../tests/support/samples.ts";
import { describeGpus } from "../../core/queue/gpu-selection.ts";
import type { ServerFigures } from "../../core/telemetry/meter.ts";
import { watchEventLoop } from "./event-loop-lag.ts";
import { createMeter } from "./meter.ts";

const FIGURES: ServerFigures = {
  version: "1.2.3",
  nodeName: 'at"las\\\n',
  jobs: { queued: 1, starting: 2, running: 3, completed: 4, failed: 5, killed: 6 },
  gpus: null,
  artifacts: { count: 2, bytes: 300 },
  certificateExpiresAt: 1_900_000_000,
  channels: [{ channel: "discord", waiting: 3, oldestS: 70.5 }],
};

test("all figures are there from the start, in the format and with the names that Prometheus asks for", () => {
  const families = parseExposition(createMeter(["discord"]).render(FIGURES));
  expect([...families.keys()].toSorted()).toEqual([
    "nexus_artifacts",
    "nexus_artifacts_bytes",
    "nexus_build_info",
    "nexus_certificate_expiry_timestamp_seconds",
    "nexus_event_loop_lag_seconds",
    "nexus_followers",
    "nexus_gpu_probe_up",
    "nexus_job_launch_seconds",
    "nexus_job_queue_wait_seconds",
    "nexus_job_submit_to_start_seconds",
    "nexus_jobs",
    "nexus_jobs_ended_total",
    "nexus_jobs_submitted_total",
    "nexus_launch_trouble",
    "nexus_notifications_oldest_seconds",
    "nexus_notifications_total",
    "nexus_notifications_waiting",
    "nexus_store_commit_seconds",
    "nexus_store_failures_total",
    "nexus_store_transaction_changes",
    "nexus_store_transaction_seconds",
    "process_cpu_seconds_total",
    "process_heap_bytes",
    "process_max_fds",
    "process_open_fds",
    "process_resident_memory_bytes",
    "process_start_time_seconds",
  ]);
  expect(families.get("nexus_build_info")?.samples[0]?.labels).toEqual({ version: "1.2.3", node: 'at"las\\\n' });
  expect(families.get("nexus_certificate_expiry_timestamp_seconds")?.samples[0]?.value).toBe(1_900_000_000);
  expect(families.get("nexus_jobs")?.samples.map(({ labels, value }) => [labels["status"], value])).toEqual(
    Object.entries(FIGURES.jobs),
  );
  for (const name of ["process_cpu_seconds_total", "process_open_fds", "process_max_fds", "process_heap_bytes"]) {
    expect(families.get(name)?.samples[0]?.value).toBeGreaterThan(0);
  }
});

test("a value falls into each bucket that it is not above, and is summed and counted", () => {
  const meter = createMeter();
  for (const seconds of [0.0005, 0.0006, 11]) meter.observeTask("health", seconds, seconds > 1);
  const text = meter.render(FIGURES);
  const bucket = (le: string) => readFigure(text, "nexus_task_duration_seconds_bucket", { task: "health", le });
  expect(["0.0005", "0.001", "10", "+Inf"].map(bucket)).toEqual([1, 2, 2, 3]);
  expect(readFigure(text, "nexus_task_duration_seconds_sum")).toBeCloseTo(11.0011);
  expect(readFigure(text, "nexus_task_failures_total", { task: "health" })).toBe(1);
});

test("each GPU has its state, its memory, and what its driver says", () => {
  const gpus = [createGpu(0), createGpu(1), createGpu(2, [5]), createGpu(3), createGpu(4, [6])];
  const told = gpus.map((gpu) => (gpu.index === 0 ? { ...gpu, memoryUsed: 2, utilization: 50, powerDraw: 7.5 } : gpu));
  const states = describeGpus(told, [createRunning("a", { gpuIdxs: [0] })], new Set([1, 4]));
  const text = createMeter().render({ ...FIGURES, gpus: states });
  const stateOf = (gpu: string) =>
    parseExposition(text)
      .get("nexus_gpu_state")
      ?.samples.filter(({ labels, value }) => labels["gpu"] === gpu && value === 1)
      .map(({ labels }) => labels["state"]);
  expect(["0", "1", "2", "3", "4"].map(stateOf)).toEqual([
    ["busy"],
    ["blacklisted"],
    ["foreign"],
    ["free"],
    ["blacklisted"],
  ]);
  expect(readFigure(text, "nexus_gpus", { state: "blacklisted" })).toBe(2);
  expect(readFigure(text, "nexus_gpu_memory_used_bytes", { gpu: "0" })).toBe(2 * 1024 * 1024);
  expect(readFigure(text, "nexus_gpu_utilization_ratio", { gpu: "0" })).toBe(0.5);
  expect(readFigure(text, "nexus_gpu_power_watts")).toBe(7.5);
  expect(readFigure(text, "nexus_gpu_temperature_celsius")).toBeUndefined();
});

test("each channel has what came of its messages, and what waits for how long", () => {
  const meter = createMeter(["discord", "team"]);
  for (const outcome of ["delivered", "retry", "retry", "dead"] as const) meter.countDelivery("discord", outcome);
  const text = meter.render(FIGURES);
  const count = (channel: string, outcome: string) =>
    readFigure(text, "nexus_notifications_total", { channel, outcome });
  expect(["delivered", "failed", "given_up"].map((outcome) => count("discord", outcome))).toEqual([1, 2, 1]);
  expect(["delivered", "failed", "given_up"].map((outcome) => count("team", outcome))).toEqual([0, 0, 0]);
  expect(readFigure(text, "nexus_notifications_waiting", { channel: "discord" })).toBe(3);
  expect(readFigure(text, "nexus_notifications_oldest_seconds", { channel: "discord" })).toBe(70.5);
});

test("a follower is counted until its end, which counts once", () => {
  const meter = createMeter();
  const [endFirst] = [meter.addFollower("logs"), meter.addFollower("logs")];
  const count = () => readFigure(meter.render(FIGURES), "nexus_followers", { kind: "logs" });
  expect(count()).toBe(2);
  endFirst();
  endFirst();
  expect(count()).toBe(1);
});

test("an event loop that was held up is reported, by about how long", async () => {
  const { promise, resolve } = Promise.withResolvers<number>();
  const endWatch = watchEventLoop((seconds) => {
    if (seconds > 0.1) resolve(seconds);
  });
  const until = performance.now() + 500;
  while (performance.now() < until);
  const lag = await promise;
  endWatch();
  expect(lag).toBeWithin(0.15, 2);
});
