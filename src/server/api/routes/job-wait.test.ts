import { expect, test } from "bun:test";
import { createGpu, createHarness, type Harness } from "../../../../tests/support/api.ts";
import type { ExplainedJob } from "../../../wire/job.ts";
import { type WireWait, waitSchema } from "../../../wire/wait.ts";

const ask = async ({ call }: Harness, id: string): Promise<WireWait> => {
  const response = await call("GET", `/v1/jobs/${id}/why`);
  expect(response.status).toBe(200);
  return waitSchema.strict().parse(await response.json());
};

test("a waiting job is told its place, what is before it, and what each GPU does instead", async () => {
  const harness = createHarness([createGpu(0), createGpu(1, [5, 6]), createGpu(2)]);
  await harness.submit({ job_id: "runs", num_gpus: 1 });
  await harness.startJob("runs", [0]);
  await harness.submit({ job_id: "first", num_gpus: 1, priority: 1, user: "eve" });
  await harness.submit({ job_id: "waits", num_gpus: 1 });
  expect(await ask(harness, "waits")).toEqual({
    id: "waits",
    status: "queued",
    reason: "gpus_taken",
    until: null,
    keeps_from: expect.any(Number),
    text: "It needs 1 GPU, and none is free: GPU 0 runs job runs of ann; GPU 1 is used by process 5 (python) of bob and process 6; GPU 2 goes to job first of eve, which starts before it",
    position: 2,
    queue_length: 2,
    ahead: ["first"],
    gpus: [
      { index: 0, obstacle: "job", job_id: "runs", user: "ann", processes: [] },
      {
        index: 1,
        obstacle: "processes",
        job_id: null,
        user: null,
        processes: [
          { pid: 5, user: "bob", program: "python" },
          { pid: 6, user: null, program: null },
        ],
      },
      { index: 2, obstacle: "start", job_id: "first", user: "eve", processes: [] },
    ],
    estimate: null,
  });
  expect(await ask(harness, "first")).toMatchObject({ reason: null, position: 1, ahead: [] });
});

test("a job that does not wait says so, one that is not there is 404", async () => {
  const harness = createHarness();
  await harness.submit({ job_id: "runs" });
  await harness.startJob("runs");
  expect(await ask(harness, "runs")).toMatchObject({
    status: "running",
    reason: null,
    until: null,
    position: null,
    text: "It does not wait: it is running",
  });
  expect((await harness.call("GET", "/v1/jobs/none/why")).status).toBe(404);
});

test("the reason that the GPUs can't be read, and the limit of CPU jobs, are told", async () => {
  const harness = createHarness();
  await harness.submit({ job_id: "gpu", num_gpus: 1 });
  for (const id of ["c1", "c2", "c3"]) await harness.submit({ job_id: id });
  for (const id of ["c1", "c2"]) await harness.startJob(id);
  harness.hideGpus({ message: "nvidia-smi failed with exit code 9" });
  expect(await ask(harness, "gpu")).toMatchObject({
    reason: "gpus_unreadable",
    text: "No GPU job can start: nvidia-smi failed with exit code 9",
  });
  expect(await ask(harness, "c3")).toMatchObject({ reason: "cpu_limit", text: "max_cpu_jobs is 2: 2 CPU jobs run" });
});

test("a list has the reasons of its queued jobs only when it is asked to", async () => {
  const harness = createHarness([createGpu(0)]);
  await harness.submit({ job_id: "runs", num_gpus: 1 });
  await harness.startJob("runs", [0]);
  await harness.submit({ job_id: "waits", num_gpus: 1 });
  const list = async (query: string) =>
    (await (await harness.call("GET", `/v1/jobs${query}`)).json()) as readonly ExplainedJob[];
  const reasons = (await list("?explain=true")).map(({ id, why }) => [id, why]);
  expect(reasons).toEqual([
    ["runs", undefined],
    ["waits", (await ask(harness, "waits")).text],
  ]);
  for (const job of await list("")) expect(job).not.toHaveProperty("why");
});

test("explaining a long queue gives everything else its turn", async () => {
  const harness = createHarness([createGpu(0)]);
  await harness.submit({ job_id: "runs", num_gpus: 1 });
  await harness.startJob("runs", [0]);
  const waiting = Array.from({ length: 2000 }, () => ({ command: "true", user: "ann", num_gpus: 1 }));
  expect((await harness.call("POST", "/v1/jobs/batch", { json: waiting })).status).toBe(201);
  let turns = 0;
  let isOver = false;
  const take = (): void => {
    turns += 1;
    if (!isOver) setImmediate(take);
  };
  setImmediate(take);
  const response = await harness.call("GET", "/v1/jobs?status=queued&limit=2000&explain=true");
  const jobs = (await response.json()) as readonly ExplainedJob[];
  isOver = true;
  expect(jobs.filter(({ why }) => why !== undefined)).toHaveLength(2000);
  expect(turns).toBeGreaterThanOrEqual(75);
});

test("of many jobs before it the first ten are named", async () => {
  const harness = createHarness([createGpu(0)]);
  for (let index = 10; index < 22; index += 1) await harness.submit({ job_id: `j${index}`, num_gpus: 1 });
  const { ahead, position } = await ask(harness, "j21");
  expect([ahead, position]).toEqual([Array.from({ length: 10 }, (_, index) => `j${index + 10}`), 12]);
});

test("a job that starts while it is asked why it waits does not wait", async () => {
  const harness: Harness = createHarness([], {
    isMock: false,
    read: async () => {
      if (harness.store.countJobs().queued > 0) await harness.startJob("a", [0]);
      return { ok: true, value: [createGpu(0)] };
    },
    readNow: async () => ({ ok: true, value: [createGpu(0)] }),
    readHint: () => null,
    stop: () => undefined,
  });
  await harness.submit({ job_id: "a", num_gpus: 0 });
  expect(await ask(harness, "a")).toMatchObject({ status: "running", text: "It does not wait: it is running" });
});

const T0 = 1_700_000_500;

const queueBehind = async (fields: Readonly<Record<string, unknown>>, command = "train"): Promise<Harness> => {
  const harness = createHarness([createGpu(0)]);
  await harness.submit({ job_id: "runs", num_gpus: 1, command, ...fields });
  await harness.startJob("runs", [0], T0);
  await harness.submit({ job_id: "next", num_gpus: 1, command: "other" });
  return harness;
};

test("a time limit says when those behind it start at the latest", async () => {
  const harness = await queueBehind({ time_limit_s: 10_000_000 });
  const { estimate } = await ask(harness, "next");
  expect(estimate?.to).toBe(T0 + 10_000_000);
  expect(estimate?.from).toBeLessThan(T0 + 10_000_000);
  await harness.submit({ job_id: "last", num_gpus: 1 });
  expect((await ask(harness, "last")).estimate).toBeNull();
});

test("earlier runs of the same command of the same user say when those behind it start", async () => {
  const harness = createHarness([createGpu(0)]);
  for (const [index, seconds] of [2_000_000_000, 3_000_000_000].entries()) {
    await harness.submit({ job_id: `run${index}`, num_gpus: 1, command: "train" });
    await harness.startJob(`run${index}`, [0], T0);
    await harness.endJob(`run${index}`, "completed", T0 + seconds);
  }
  await harness.submit({ job_id: "runs", num_gpus: 1, command: "train" });
  await harness.startJob("runs", [0], T0 + 100);
  await harness.submit({ job_id: "next", num_gpus: 1, command: "other" });
  await harness.submit({ job_id: "held", num_gpus: 1, held: true });
  const [from, to] = [T0 + 100 + 2_000_000_000, T0 + 100 + 3_000_000_000];
  expect((await ask(harness, "next")).estimate).toEqual({ from, to });
  expect((await ask(harness, "held")).estimate).toBeNull();
  harness.hideGpus({ message: "nvidia-smi failed" });
  expect((await ask(harness, "next")).estimate).toBeNull();
});

test("nobody says when those start that wait for what may run for ever, or for others' processes", async () => {
  expect((await ask(await queueBehind({}), "next")).estimate).toBeNull();
  const harness = createHarness([createGpu(0, [7])]);
  await harness.submit({ job_id: "next", num_gpus: 1 });
  expect((await ask(harness, "next")).estimate).toBeNull();
});
