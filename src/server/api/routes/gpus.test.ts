import { describe, expect, test } from "bun:test";
import { createGpu, createHarness, type Harness } from "../../../../tests/support/api.ts";
import { wireGpuSchema } from "../../../wire/gpu.ts";

test("GPUs are listed by index with their use", async () => {
  const { call, submit, startJob } = createHarness([createGpu(3), createGpu(0, [7, 8]), createGpu(1)]);
  const { id } = await submit();
  await startJob(id, [1]);
  await call("PUT", "/v1/gpus/3/blacklist");
  const response = await call("GET", "/v1/gpus");
  expect(response.status).toBe(200);
  const gpus = wireGpuSchema
    .strict()
    .array()
    .parse(await response.json());
  expect(gpus[0]).toEqual({
    index: 0,
    name: "RTX 4090",
    memory_total: 24_564,
    memory_used: 300,
    process_count: 2,
    is_blacklisted: false,
    running_job_id: null,
    job_ids: [],
    vram_booked_mib: 0,
    uuid: "GPU-0",
    utilization: 5,
    temperature: 40,
    power_draw: 55.5,
    is_mock: false,
    fault: null,
    unseen_use: null,
    doubt: null,
    is_reserved: false,
    reservations: [],
  });
  expect(gpus.slice(1)).toMatchObject([
    { index: 1, running_job_id: id, is_blacklisted: false },
    { index: 3, running_job_id: null, is_blacklisted: true },
  ]);
});

test("there are none when they cannot be read", async () => {
  const { call, hideGpus } = createHarness();
  hideGpus({ message: "no driver" });
  expect(await (await call("GET", "/v1/gpus")).json()).toEqual([]);
});

test("the blacklist changes once, and wakes the scheduler", async () => {
  const { call, wakes } = createHarness();
  const answers = [];
  for (const method of ["PUT", "PUT", "DELETE", "DELETE"]) {
    const response = await call(method, "/v1/gpus/1/blacklist");
    answers.push([response.status, await response.json()]);
  }
  expect(answers).toEqual([
    [200, { gpu_idx: 1, blacklisted: true, changed: true }],
    [200, { gpu_idx: 1, blacklisted: true, changed: false }],
    [200, { gpu_idx: 1, blacklisted: false, changed: true }],
    [200, { gpu_idx: 1, blacklisted: false, changed: false }],
  ]);
  expect(wakes()).toEqual(["queues", "queues"]);
});

test.each(["2", "-1", "99999999999999999999"])("GPU %s does not exist", async (index) => {
  const { call } = createHarness();
  for (const method of ["PUT", "DELETE"]) {
    const response = await call(method, `/v1/gpus/${index}/blacklist`);
    expect([response.status, await response.json()]).toMatchObject([404, { error: "GPU_NOT_FOUND" }]);
  }
});

test.each(["x", "1.5", "0x1", "%00", "%FF"])("%p is no index", async (index) => {
  const response = await createHarness().call("PUT", `/v1/gpus/${index}/blacklist`);
  expect([response.status, await response.json()]).toMatchObject([422, { detail: [{ loc: ["path", "index"] }] }]);
});

test("the entry of a GPU that has gone can be removed", async () => {
  const { call, hideGpus } = createHarness();
  await call("PUT", "/v1/gpus/1/blacklist");
  hideGpus({ message: "no driver" });
  for (const index of [0, 1]) expect((await call("PUT", `/v1/gpus/${index}/blacklist`)).status).toBe(404);
  expect(await (await call("DELETE", "/v1/gpus/1/blacklist")).json()).toMatchObject({ changed: true });
  expect((await call("DELETE", "/v1/gpus/1/blacklist")).status).toBe(404);
});

test("figures that the driver does not tell are null, and what is wrong is told", async () => {
  const unknown = {
    memoryTotal: null,
    memoryUsed: null,
    fault: "GPU is lost",
    unseenUse: "it is 98 % busy",
    doubt: "x",
  };
  const { call } = createHarness([{ ...createGpu(0), ...unknown }]);
  expect(await (await call("GET", "/v1/gpus")).json()).toMatchObject([
    { memory_total: null, memory_used: null, fault: "GPU is lost", unseen_use: "it is 98 % busy", doubt: "x" },
  ]);
});

describe("what the log of a job said against a GPU", () => {
  const note = ({ store }: Harness, gpuIdx: number, at = 1_700_000_000) =>
    store.write((transaction) =>
      transaction.saveGpuFault({ gpuIdx, uuid: `GPU-${gpuIdx}`, text: "Xid 79 in the log of job a", at }),
    );
  const listFaults = async ({ call }: Harness): Promise<readonly unknown[]> =>
    ((await (await call("GET", "/v1/gpus")).json()) as readonly { fault: unknown }[]).map(({ fault }) => fault);

  test("is cleared by an admin, once, and wakes the scheduler", async () => {
    const harness = createHarness();
    await note(harness, 1);
    expect(await listFaults(harness)).toEqual([null, "Xid 79 in the log of job a"]);
    const clear = async () => (await harness.call("DELETE", "/v1/gpus/1/fault")).json();
    expect([await clear(), await clear()]).toEqual([
      { gpu_idx: 1, changed: true },
      { gpu_idx: 1, changed: false },
    ]);
    expect([await listFaults(harness), harness.wakes()]).toEqual([[null, null], ["queues"]]);
    expect(harness.lines.filter(({ event }) => event === "fault cleared")).toMatchObject([
      { fields: { gpu: 1, reason: "asked for by 127.0.0.1", request_id: expect.any(String) } },
    ]);
  });

  test("is cleared of a GPU that has gone, and not of one that never was", async () => {
    const harness = createHarness();
    await note(harness, 1);
    harness.hideGpus({ message: "no driver" });
    expect((await harness.call("DELETE", "/v1/gpus/0/fault")).status).toBe(404);
    expect(await (await harness.call("DELETE", "/v1/gpus/1/fault")).json()).toMatchObject({ changed: true });
  });
});
