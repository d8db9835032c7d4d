import { expect, test } from "bun:test";
import { createGpu, createHarness } from "../../../../tests/support/api.ts";
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
    uuid: "GPU-0",
    utilization: 5,
    temperature: 40,
    power_draw: 55.5,
    is_mock: false,
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
  expect((await call("PUT", "/v1/gpus/0/blacklist")).status).toBe(404);
  expect(await (await call("DELETE", "/v1/gpus/1/blacklist")).json()).toMatchObject({ changed: true });
  expect((await call("DELETE", "/v1/gpus/1/blacklist")).status).toBe(404);
});
