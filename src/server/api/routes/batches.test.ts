import { expect, test } from "bun:test";
import { createHarness } from "../../../../tests/support/api.ts";
import type { WireBatch } from "../../../wire/batches/batch.ts";
import type { WireJob } from "../../../wire/job.ts";
import type { WireWait } from "../../../wire/wait.ts";

type Harness = ReturnType<typeof createHarness>;

const addBatch = async ({ call }: Harness, count: number, fields: object = {}): Promise<readonly WireJob[]> => {
  const json = Array.from({ length: count }, (_, index) => ({ command: `echo ${index}`, user: "ann", ...fields }));
  return (await (await call("POST", "/v1/jobs/batch", { json })).json()) as readonly WireJob[];
};

const read = async <Value>({ call }: Harness, path: string): Promise<Value> =>
  (await (await call("GET", path)).json()) as Value;

test("the jobs of one request of several have a batch, which is like a job's id; others have none", async () => {
  const harness = createHarness();
  const [first, second] = await addBatch(harness, 2);
  expect(first?.batch_id).toMatch(/^[a-z0-9-]{1,64}$/);
  expect(second?.batch_id).toBe(first?.batch_id ?? "");
  const [alone] = await addBatch(harness, 1);
  expect([alone?.batch_id, (await harness.submit()).batch_id]).toEqual([null, null]);
  expect((await addBatch(harness, 2))[0]?.batch_id).not.toBe(first?.batch_id ?? "");
});

test("a list has the jobs of one batch, whatever their status, and with a status those of it", async () => {
  const harness = createHarness();
  const [first, second, third] = await addBatch(harness, 3);
  await addBatch(harness, 2);
  await harness.startJob(first?.id ?? "");
  await harness.startJob(second?.id ?? "");
  await harness.endJob(second?.id ?? "");
  const list = async (query: string) =>
    (await read<readonly WireJob[]>(harness, `/v1/jobs?batch_id=${first?.batch_id}${query}`)).map(({ id }) => id);
  expect(await list("")).toEqual([first, third, second].map((job) => job?.id ?? ""));
  expect(await list("&status=queued")).toEqual([third?.id ?? ""]);
  expect(await list("&status=queued&limit=1&offset=1")).toEqual([]);
  expect(await read<readonly WireJob[]>(harness, "/v1/jobs?batch_id=nosuch")).toEqual([]);
});

test("a list has the jobs of one name", async () => {
  const harness = createHarness();
  const jobs = [await harness.submit({ name: "base" }), await harness.submit({ name: "base" })];
  await harness.submit({ name: "baseline" });
  const found = await read<readonly WireJob[]>(harness, "/v1/jobs?name=base");
  expect(found.map(({ id }) => id)).toEqual(jobs.map(({ id }) => id));
});

test("batches are listed with how many of their jobs are what, the newest first", async () => {
  const harness = createHarness();
  const [first, second] = await addBatch(harness, 3, { name: "sweep" });
  const [other] = await addBatch(harness, 2, { user: "bob" });
  await harness.startJob(first?.id ?? "");
  await harness.startJob(second?.id ?? "");
  await harness.endJob(second?.id ?? "", "failed");
  const all = await read<readonly WireBatch[]>(harness, "/v1/batches");
  expect(all).toMatchObject([
    { id: other?.batch_id, user: "bob", queued: 2, running: 0, completed: 0, failed: 0, killed: 0 },
    { id: first?.batch_id, user: "ann", name: "sweep", command: "echo 0", queued: 1, running: 1, failed: 1 },
  ]);
  expect(all[1]?.created_at).toBe(first?.created_at ?? 0);
  expect((await read<readonly WireBatch[]>(harness, "/v1/batches?user=ann")).map(({ user }) => user)).toEqual(["ann"]);
  expect(await read<readonly WireBatch[]>(harness, "/v1/batches?limit=1")).toHaveLength(1);
  expect((await harness.call("GET", "/v1/batches?limit=0")).status).toBe(422);
});

const readWhy = async (harness: Harness, id = ""): Promise<WireWait> => read<WireWait>(harness, `/v1/jobs/${id}/why`);

test("of a batch with a limit so many run at once, the others wait and say why", async () => {
  const harness = createHarness();
  const [first, second, third] = await addBatch(harness, 3, { batch_max: 2, num_gpus: 0 });
  await harness.startJob(first?.id ?? "");
  expect(await readWhy(harness, second?.id)).toMatchObject({ reason: null });
  const text = `2 jobs of @${first?.batch_id} may run at once, and 2 run or start before it`;
  expect(await readWhy(harness, third?.id)).toMatchObject({ reason: "batch_limit", until: null, text });
  expect(await read<readonly WireBatch[]>(harness, "/v1/batches")).toMatchObject([{ batch_max: 2, running: 1 }]);
});

test("an edit of the limit through one job holds for all of its batch, whatever their state", async () => {
  const harness = createHarness();
  const jobs = await addBatch(harness, 3, { batch_max: 1 });
  const [first, second, third] = jobs.map(({ id }) => id);
  await harness.startJob(first ?? "");
  await harness.startJob(second ?? "");
  await harness.endJob(second ?? "");
  const listMax = async (): Promise<readonly unknown[]> =>
    (await read<readonly WireJob[]>(harness, `/v1/jobs?batch_id=${jobs[0]?.batch_id}`)).map((job) => job.batch_max);
  for (const [id, max] of [[third, 2] as const, [first, 3] as const, [second, null] as const]) {
    expect((await harness.call("PATCH", `/v1/jobs/${id}`, { json: { batch_max: max } })).status).toBe(200);
    expect(await listMax()).toEqual([max, max, max]);
  }
});

const ask = async (answer: Promise<Response>): Promise<readonly [number, string]> => {
  const response = await answer;
  return [response.status, ((await response.json()) as { message: string }).message];
};

test("a limit of a batch is refused with 422 for a single job, and where the jobs of one batch don't agree", async () => {
  const { call, submit, store } = createHarness();
  const json = { command: "true", user: "ann", num_gpus: 0 };
  const limited = { ...json, batch_max: 2 };
  const alone = expect.stringContaining("batch_max: Only of a batch, which several jobs submitted together are,");
  const { id } = await submit();
  expect(await ask(call("POST", "/v1/jobs", { json: limited }))).toEqual([422, alone]);
  expect((await ask(call("POST", "/v1/jobs/batch", { json: [limited] })))[0]).toBe(422);
  expect(await ask(call("PATCH", `/v1/jobs/${id}`, { json: { batch_max: 2 } }))).toEqual([422, alone]);
  for (const other of [json, { ...json, batch_max: 3 }])
    expect(await ask(call("POST", "/v1/jobs/batch", { json: [limited, other] }))).toEqual([
      422,
      "1.batch_max: All jobs of a batch have the same limit of how many run at most at once",
    ]);
  expect((await ask(call("POST", "/v1/jobs/batch", { json: Array(2).fill({ ...json, batch_max: 0 }) })))[0]).toBe(422);
  expect(store.countJobs().queued).toBe(1);
});

test("jobs of a batch that are to run immediately are refused where that is more than run at once", async () => {
  const { call } = createHarness();
  const job = { command: "true", user: "ann", num_gpus: 1, vram_mib: 100, run_immediately: true, batch_max: 2 };
  const post = (count: number) => call("POST", "/v1/jobs/batch", { json: Array(count).fill(job) });
  expect(await ask(post(3))).toEqual([500, expect.stringContaining("may run at once")]);
  expect((await post(2)).status).toBe(201);
});
