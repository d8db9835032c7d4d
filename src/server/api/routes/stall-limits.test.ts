import { expect, test } from "bun:test";
import { createHarness } from "../../../../tests/support/api.ts";

const LIMITS = { max_idle_s: 3600, max_silence_s: 1800 };
const NONE = { max_idle_s: null, max_silence_s: null };

test("how long a job may do nothing is taken with a submission, told in each answer, and changed while it waits", async () => {
  const { call, submit, startJob } = createHarness();
  const { id } = await submit({ ...LIMITS, num_gpus: 1 });
  const patch = (json: object): Promise<Response> => call("PATCH", `/v1/jobs/${id}`, { json });
  expect(await (await call("GET", `/v1/jobs/${id}`)).json()).toMatchObject(LIMITS);
  expect(await submit()).toMatchObject(NONE);
  expect(await (await patch({ max_idle_s: 60 })).json()).toMatchObject({ ...LIMITS, max_idle_s: 60 });
  expect(await (await patch(NONE)).json()).toMatchObject(NONE);
  await startJob(id);
  expect((await patch(LIMITS)).status).toBe(400);
});

test.each([0, -1, 1.5, "2h", true, 1e15])("%p is 422 and named", async (value) => {
  const { call } = createHarness();
  for (const field of Object.keys(LIMITS)) {
    const response = await call("POST", "/v1/jobs", { json: { command: "true", user: "ann", [field]: value } });
    expect([response.status, JSON.stringify(await response.json())]).toEqual([422, expect.stringContaining(field)]);
  }
});

test("a job without GPUs can't have its GPUs watched, by no request and no edit; its log can", async () => {
  const { call, submit } = createHarness();
  const { id } = await submit({ num_gpus: 0, max_silence_s: 60 });
  const request = { command: "true", user: "ann", num_gpus: 0, max_idle_s: 60 };
  for (const answer of [
    await call("POST", "/v1/jobs", { json: request }),
    await call("PATCH", `/v1/jobs/${id}`, { json: { max_idle_s: 60 } }),
  ])
    expect([answer.status, JSON.stringify(await answer.json())]).toEqual([422, expect.stringContaining("max_idle_s")]);
});
