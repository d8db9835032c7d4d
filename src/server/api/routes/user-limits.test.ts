import { expect, test } from "bun:test";
import { createHarness } from "../../../../tests/support/api.ts";
import { createLimitsOf, type LimitSettings } from "../../core/queue/user-limits.ts";

const LIMITS: LimitSettings = {
  maxGpus: 1,
  maxPriority: 10,
  maxTime: "2h",
  users: [{ name: "bob", maxGpus: 2, maxPriority: 20, maxTime: "3h", maxRunning: 1, maxQueued: 2 }],
};

const open = () => createHarness(undefined, null, { limitsOf: createLimitsOf(LIMITS) });

const read = async (answer: Promise<Response>): Promise<[number, Readonly<Record<string, unknown>>]> => {
  const response = await answer;
  return [response.status, (await response.json()) as Readonly<Record<string, unknown>>];
};

const asJob = (fields: object) => ({ json: { command: "true", user: "ann", num_gpus: 0, ...fields } });

const REFUSED = [
  [{ num_gpus: 2 }, { limit: "max_gpus", max: 1, asked: 2 }],
  [{ gpu_idxs: [0, 1] }, { limit: "max_gpus", max: 1, asked: 2 }],
  [{ priority: 11 }, { limit: "max_priority", max: 10, asked: 11 }],
  [{ time_limit_s: 7201 }, { limit: "max_time", max: 7200, asked: 7201 }],
] as const;

test.each(REFUSED)("what no waiting cures is refused, a batch as a whole: %j", async (fields, reached) => {
  const { call, store } = open();
  const refusal = { error: "LIMIT_REACHED", ...reached };
  expect(await read(call("POST", "/v1/jobs", asJob(fields)))).toMatchObject([403, refusal]);
  const json = [asJob({}).json, asJob(fields).json];
  expect(await read(call("POST", "/v1/jobs/batch", { json }))).toMatchObject([403, refusal]);
  expect(store.countJobs().queued).toBe(0);
  expect(await read(call("POST", "/v1/jobs", asJob({ ...fields, user: "bob" })))).toMatchObject([201, { user: "bob" }]);
});

test.each(REFUSED)("an edit over a limit is refused, whoever asks for it: %j", async (fields, reached) => {
  const { call, submit } = open();
  const { id } = await submit();
  const answer = read(call("PATCH", `/v1/jobs/${id}`, { json: fields }));
  expect(await answer).toMatchObject([403, { error: "LIMIT_REACHED", ...reached }]);
});

test("a shared GPU counts as the part of its memory that is booked, the least that it may be", async () => {
  const { call, submit } = open();
  const { id } = await submit({ num_gpus: 2, vram_mib: 10_000 });
  const over = { error: "LIMIT_REACHED", limit: "max_gpus", max: 1, asked: 1.14 };
  expect(await read(call("POST", "/v1/jobs", asJob({ num_gpus: 2, vram_mib: 14_000 })))).toMatchObject([403, over]);
  expect(await read(call("PATCH", `/v1/jobs/${id}`, { json: { vram_mib: 14_000 } }))).toMatchObject([403, over]);
  expect(await read(call("PATCH", `/v1/jobs/${id}`, { json: { vram_mib: null } }))).toMatchObject([
    403,
    { ...over, asked: 2 },
  ]);
});

test("jobs that share GPUs may start at once while their parts together are within the limit", async () => {
  const { call } = open();
  const runNow = (fields: object) => read(call("POST", "/v1/jobs", asJob({ ...fields, run_immediately: true })));
  for (let count = 0; count < 2; count++) expect((await runNow({ num_gpus: 1, vram_mib: 10_000 }))[0]).toBe(201);
  const message = expect.stringContaining("ann may have 1 GPU at once (max_gpus), and jobs that run or start before");
  for (const fields of [{ num_gpus: 1, vram_mib: 10_000 }, { num_gpus: 1 }])
    expect(await runNow(fields)).toMatchObject([500, { error: "GPU_ERROR", message }]);
  expect((await runNow({ num_gpus: 1, vram_mib: 2000 }))[0]).toBe(201);
});

test("a job without a time has max_time, also when its time is taken away", async () => {
  const { call, submit } = open();
  const { id, time_limit_s } = await submit();
  expect(time_limit_s).toBe(7200);
  expect((await submit({ time_limit_s: 60 })).time_limit_s).toBe(60);
  expect(await read(call("PATCH", `/v1/jobs/${id}`, { json: { time_limit_s: 60 } }))).toMatchObject([
    200,
    { time_limit_s: 60 },
  ]);
  expect(await read(call("PATCH", `/v1/jobs/${id}`, { json: { time_limit_s: null } }))).toMatchObject([
    200,
    { time_limit_s: 7200 },
  ]);
});

test("a user's own max_queued wins over that of all", async () => {
  const { call, submit } = open();
  await submit({ user: "bob" });
  await submit({ user: "bob" });
  expect(await read(call("POST", "/v1/jobs", asJob({ user: "bob" })))).toMatchObject([
    403,
    { limit: "max_queued", max: 2, asked: 3 },
  ]);
  await submit();
});

test("whose jobs run as many as they may waits, says so, and others go first", async () => {
  const { call, submit, startJob } = open();
  const running = await submit({ num_gpus: 1 });
  await startJob(running.id, [0]);
  const { id } = await submit({ num_gpus: 1 });
  expect(await read(call("GET", `/v1/jobs/${id}/why`))).toMatchObject([
    200,
    {
      reason: "user_limit",
      until: null,
      text: "ann may have 1 GPU at once (max_gpus), and jobs that run or start before it have 1",
    },
  ]);
  const other = await submit({ num_gpus: 1, user: "cyd" });
  expect((await read(call("GET", `/v1/jobs/${other.id}/why`)))[1]).toMatchObject({ reason: null });
});

test("what is to run immediately is free of priority and queue, and not of the others", async () => {
  const { call, submit, startJob } = open();
  const runNow = (fields: object) => read(call("POST", "/v1/jobs", asJob({ ...fields, run_immediately: true })));
  for (const fields of [{ num_gpus: 2 }, { time_limit_s: 7201 }])
    expect(await runNow(fields)).toMatchObject([500, { error: "GPU_ERROR" }]);
  for (let count = 0; count < 2; count++) await submit({ user: "bob" });
  const [status, job] = await runNow({ user: "bob" });
  expect(status).toBe(201);
  expect(await runNow({ user: "bob" })).toMatchObject([
    500,
    { error: "GPU_ERROR", message: expect.stringContaining("bob may have 1 job running at once (max_running)") },
  ]);
  await startJob(String(job["id"]));
  expect((await runNow({ user: "bob" }))[0]).toBe(500);
});
