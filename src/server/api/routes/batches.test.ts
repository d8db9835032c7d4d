import { expect, test } from "bun:test";
import { createHarness } from "../../../../tests/support/api.ts";
import type { WireBatch } from "../../../wire/batches/batch.ts";
import type { WireJob } from "../../../wire/job.ts";

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
