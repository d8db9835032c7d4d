import { expect, test } from "bun:test";
import { createGpu, createHarness } from "../../../../tests/support/api.ts";
import { readFigure } from "../../../../tests/support/parse-exposition.ts";
import type { JobId } from "../../core/jobs/job.ts";

test("jobs, GPUs, artifacts and memory are there in Prometheus text", async () => {
  const { call, startJob, store, submit, uploadArtifact } = createHarness([
    createGpu(0),
    createGpu(1),
    createGpu(2, [5]),
  ]);
  await submit({ job_id: "a" });
  await submit({ job_id: "b" });
  await startJob("b", [0]);
  await call("PUT", "/v1/gpus/1/blacklist");
  await call("POST", "/v1/reservations", { json: { gpu_idxs: [2], user: "ann", until: 1_800_000_000 } });
  await uploadArtifact(new Uint8Array(70));
  expect(store.artifacts.measure().bytes).toBeWithin(1, 70);
  const response = await call("GET", "/metrics");
  expect(response.headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
  const text = await response.text();
  const figures: readonly (readonly [string, Record<string, string>, number])[] = [
    ["nexus_jobs", { status: "queued" }, 1],
    ["nexus_jobs", { status: "running" }, 1],
    ["nexus_gpus", { state: "busy" }, 1],
    ["nexus_gpus", { state: "blacklisted" }, 1],
    ["nexus_gpus", { state: "foreign" }, 1],
    ["nexus_gpu_reserved", { gpu: "1" }, 0],
    ["nexus_gpu_reserved", { gpu: "2" }, 1],
    ["nexus_gpu_probe_up", {}, 1],
    ["nexus_build_info", { version: "1.2.3", node: "atlas" }, 1],
    ["nexus_artifacts", {}, 1],
    ["nexus_artifacts_bytes", {}, store.artifacts.measure().bytes],
  ];
  for (const [name, labels, value] of figures) expect([name, readFigure(text, name, labels)]).toEqual([name, value]);
});

test("of each channel it is told how many notifications wait, and since when the oldest does", async () => {
  const { call, store, context } = createHarness();
  const createdAt = context.clock() - 100;
  const notice = { channel: "team", destination: "", secrets: {}, dueAt: createdAt } as const;
  await store.write(({ outbox }) =>
    outbox.enqueue(
      ["a", "b"].map((id, index) => ({
        ...notice,
        subject: { kind: "job", event: "failed", jobId: id as JobId },
        createdAt: createdAt + index * 50,
      })),
    ),
  );
  await store.write(({ outbox }) => outbox.markSending(1));
  const text = await (await call("GET", "/metrics")).text();
  const read = (name: string, channel: string) => readFigure(text, name, { channel });
  expect(["discord", "team"].map((channel) => read("nexus_notifications_waiting", channel))).toEqual([0, 2]);
  expect(read("nexus_notifications_oldest_seconds", "discord")).toBe(0);
  expect(read("nexus_notifications_oldest_seconds", "team")).toBeWithin(100, 110);
});

test("GPUs that can't be read are said to be, and have no figures", async () => {
  const { call, hideGpus } = createHarness();
  hideGpus({ message: "no driver" });
  const text = await (await call("GET", "/metrics")).text();
  expect(readFigure(text, "nexus_gpu_probe_up")).toBe(0);
  expect(readFigure(text, "nexus_gpus")).toBeUndefined();
});

test("GPU seconds of jobs that run are there by user, of a shared GPU by its booked part", async () => {
  const { call, submit, startJob } = createHarness();
  const read = async (): Promise<number | undefined> =>
    readFigure(await (await call("GET", "/metrics")).text(), "nexus_user_gpu_seconds_total", { user: "ann" });
  expect(await read()).toBeUndefined();
  const { id } = await submit({ user: "ann", num_gpus: 2 });
  await startJob(id, [0, 1], 1);
  const seconds = (await read()) ?? 0;
  expect(seconds).toBeGreaterThan(3_000_000_000);
  await startJob(id, [0, 1], 2);
  expect(await read()).toBeGreaterThanOrEqual(seconds);
});
