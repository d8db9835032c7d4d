import { expect, test } from "bun:test";
import { createGpu, createHarness, type Harness } from "../../../../tests/support/api.ts";
import type { SubmittedJob } from "../../../wire/job.ts";
import type { HeldEstimates } from "../../../wire/usage/estimates.ts";

const T0 = 1_700_000_500;
const LIMIT_S = 1000;
const LONG_S = 3000;
const END = T0 + LIMIT_S;

const REQUEST = { command: "true", user: "ann", num_gpus: 1 };

const createBusy = async (): Promise<Harness> => {
  const harness = createHarness([createGpu(0)]);
  await harness.submit({ job_id: "runs", command: "train", num_gpus: 1, time_limit_s: LIMIT_S });
  await harness.startJob("runs", [0], T0);
  return harness;
};

const submit = async (harness: Harness, fields: object = {}): Promise<SubmittedJob> =>
  (await harness.submit({ ...REQUEST, time_limit_s: 60, ...fields })) as SubmittedJob;

const submitMany = async (harness: Harness, count: number, prefix: string): Promise<readonly SubmittedJob[]> => {
  const json = Array.from({ length: count }, (_, index) => ({
    ...REQUEST,
    job_id: `${prefix}${index}`,
    time_limit_s: 60,
  }));
  return (await (await harness.call("POST", "/v1/jobs/batch", { json })).json()) as readonly SubmittedJob[];
};

const letPass = ({ context }: Harness): void => {
  for (let second = 0; second < LONG_S; second++) context.clock();
};

const readHeld = async ({ call }: Harness, query = ""): Promise<HeldEstimates> =>
  (await (await call("GET", `/v1/usage/estimates?since=0${query}`)).json()) as HeldEstimates;

const count = async (harness: Harness, query = ""): Promise<readonly (number | null)[]> => {
  letPass(harness);
  const { jobs, within, before, after, held_share: share } = await readHeld(harness, query);
  return [jobs, within, before, after, share];
};

const startAt = async ({ startJob, endJob }: Harness, id: string, at: number): Promise<void> => {
  await startJob(id, [0], at);
  await endJob(id, "completed", at + 1);
};

test("the answer to a submission says when the job starts about, and says the same when it is sent again", async () => {
  const harness = await createBusy();
  const { estimate } = await submit(harness, { job_id: "next" });
  expect(estimate?.to).toBe(END);
  expect(estimate?.from).toBeLessThan(END);
  const json = { ...REQUEST, job_id: "next", time_limit_s: 60 };
  const again = await harness.call("POST", "/v1/jobs", { json });
  expect([again.status, ((await again.json()) as SubmittedJob).estimate]).toEqual([200, estimate]);
});

test("it says nothing of a job that starts at once, or when nobody knows", async () => {
  const harness = createHarness([createGpu(0)]);
  expect((await submit(harness, { job_id: "first" })).estimate).toBeUndefined();
  await harness.startJob("first", [0]);
  await submit(harness, { job_id: "forever", time_limit_s: null });
  expect((await submit(harness, { job_id: "last" })).estimate).toBeUndefined();
  expect((await submit(harness, { job_id: "held", held: true })).estimate).toBeUndefined();
});

test("each of up to ten jobs that are submitted at once has one, and none where more are, or more than 50 wait", async () => {
  const harness = await createBusy();
  const few = await submitMany(harness, 10, "few");
  expect(few.map(({ estimate }) => estimate?.to)).toEqual(few.map((_, index) => END + 60 * index));
  expect((await submitMany(harness, 11, "many")).map(({ estimate }) => estimate)).toEqual(Array(11).fill(undefined));
  await submitMany(harness, 28, "more");
  expect((await submit(harness)).estimate).toBeDefined();
  expect((await submit(harness)).estimate).toBeUndefined();
});

test("an estimate counts by when the job starts, a minute early or late is within", async () => {
  const harness = await createBusy();
  const starts = { early: T0 - 61, soon: T0 - 60, sharp: T0, late: END + 60, later: END + 61 };
  for (const [id, at] of Object.entries(starts)) {
    expect((await submit(harness, { job_id: id })).estimate).toEqual({ from: T0, to: END });
    await harness.call("PATCH", `/v1/jobs/${id}`, { json: { name: `the-${id}` } });
    await startAt(harness, id, at);
  }
  expect(await count(harness)).toEqual([5, 3, 1, 1, 0.6]);
  expect(await count(harness, "&user=bob")).toEqual([0, 0, 0, 0, null]);
  expect(await count(harness, `&since=${END}`)).toEqual([2, 1, 0, 1, 0.5]);
});

test("no job counts that has not started, was edited or held, or had no estimate", async () => {
  const harness = await createBusy();
  for (const id of ["waits", "edited", "held", "counts"]) await submit(harness, { job_id: id });
  await harness.call("PATCH", "/v1/jobs/edited", { json: { priority: 2 } });
  for (const held of [true, false]) await harness.call("PATCH", "/v1/jobs/held", { json: { held } });
  await submit(harness, { job_id: "forever", time_limit_s: null });
  await submit(harness, { job_id: "unknown", priority: -1 });
  for (const id of ["edited", "held", "counts", "unknown"]) await startAt(harness, id, END);
  expect(await count(harness)).toEqual([1, 1, 0, 0, 1]);
});

test("a job that is tried again counts by its first start", async () => {
  const harness = await createBusy();
  await submit(harness, { job_id: "tried", retry: { count: 1, causes: ["exit"] } });
  await harness.startJob("tried", [0], END);
  expect(await count(harness)).toEqual([1, 1, 0, 0, 1]);
  await harness.retryJob("tried");
  expect(await count(harness)).toEqual([1, 1, 0, 0, 1]);
  await startAt(harness, "tried", END + LIMIT_S);
  expect(await count(harness)).toEqual([1, 1, 0, 0, 1]);
});

test("that an estimate is kept has nothing looked at", async () => {
  const harness = await createBusy();
  const before = harness.wakes().length;
  await submit(harness);
  expect(harness.wakes().slice(before)).toEqual(["queues"]);
});

test("what is asked in a wrong way is refused", async () => {
  const { call } = createHarness();
  for (const query of ["days=0", "since=now"])
    expect((await call("GET", `/v1/usage/estimates?${query}`)).status).toBe(422);
});
