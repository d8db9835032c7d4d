import { expect, test } from "bun:test";
import { createHarness } from "../../../../tests/support/api.ts";
import { createQueued } from "../../../../tests/support/samples.ts";

type Harness = ReturnType<typeof createHarness>;

const createEditor =
  ({ call }: Harness) =>
  async (id: string, json: object): Promise<readonly [number, unknown]> => {
    const answer = await call("PATCH", `/v1/jobs/${id}`, { json });
    return [answer.status, await answer.json()];
  };

test("an environment is merged, a null takes a variable out, and values are sealed as before", async () => {
  const harness = createHarness();
  const edit = createEditor(harness);
  const { id } = await harness.submit({ env: { A: "1", B: "2" } });
  expect(await edit(id, { env: { B: "two", C: "3", A: null, Z: null } })).toMatchObject([
    200,
    { env_names: ["B", "C"] },
  ]);
  expect(harness.readEnv(id)).toEqual({ B: "two", C: "3" });
  expect(await edit(id, { env: { B: null, C: null } })).toMatchObject([200, { env_names: [], env: {} }]);
  expect(harness.readEnv(id)).toEqual({});
  expect(await edit(id, { env: { D: "4" } })).toMatchObject([200, { env_names: ["D"] }]);
  expect(harness.readEnv(id)).toEqual({ D: "4" });
});

test("a variable that an edit gives is no longer one of the shell that sent the job", async () => {
  const harness = createHarness();
  const { id } = await harness.submit({ env: { A: "1", B: "2" }, carried_names: ["A", "B"] });
  const edited = await createEditor(harness)(id, { env: { A: "mine" } });
  expect(edited).toMatchObject([200, { env_names: ["A", "B"], carried_names: ["B"] }]);
});

test("a variable that a notification needs can't be taken out", async () => {
  const harness = createHarness();
  const env = { DISCORD_USER_ID: "1", DISCORD_WEBHOOK_URL: "https://discord.com/api/webhooks/1/x" };
  const { id } = await harness.submit({ notifications: ["discord"], env });
  const refused = await createEditor(harness)(id, { env: { DISCORD_USER_ID: null }, priority: 5 });
  expect(refused).toMatchObject([422, { detail: [{ loc: ["body", "env"], type: "missing_env" }] }]);
  expect(harness.readEnv(id)).toEqual(env);
  expect(await (await harness.call("GET", `/v1/jobs/${id}`)).json()).toMatchObject({ priority: 0 });
});

test("GPUs are changed by index and by number, with the checks of a submission", async () => {
  const harness = createHarness();
  const edit = createEditor(harness);
  const { id } = await harness.submit();
  expect(await edit(id, { gpu_idxs: [1] })).toMatchObject([200, { num_gpus: 1, requested_gpu_idxs: [1] }]);
  expect(await edit(id, { gpu_idxs: [1, 0] })).toMatchObject([200, { num_gpus: 2, requested_gpu_idxs: [1, 0] }]);
  expect(await edit(id, { gpu_idxs: null })).toMatchObject([200, { requested_gpu_idxs: [1, 0] }]);
  expect(await edit(id, { num_gpus: 1 })).toMatchObject([200, { num_gpus: 1, requested_gpu_idxs: [] }]);
  expect(await edit(id, { gpu_idxs: [99] })).toMatchObject([422, { detail: [{ loc: ["body", "gpu_idxs"] }] }]);
  expect(await edit(id, { num_gpus: 99 })).toMatchObject([422, { detail: [{ loc: ["body", "num_gpus"] }] }]);
  expect(await edit(id, { gpu_idxs: [0, 0] })).toMatchObject([422, { error: "VALIDATION_ERROR" }]);
});

test.each([{ env: { A: "1" } }, { gpu_idxs: [0] }])(
  "%j is for queued jobs alone, and changes nothing else",
  async (json) => {
    const harness = createHarness();
    const edit = createEditor(harness);
    const { id } = await harness.submit({ env: { B: "2" } });
    await harness.startJob(id);
    expect(await edit(id, { ...json, name: "a" })).toMatchObject([400, { error: "INVALID_JOB_STATE" }]);
    expect(await (await harness.call("GET", `/v1/jobs/${id}`)).json()).toMatchObject({ name: null, env_names: ["B"] });
    expect(harness.readEnv(id)).toEqual({ B: "2" });
  },
);

test.each([{ env: { "1A": "x" } }, { env: { A: 1 } }, { env: { A: "a\0b" } }, { env: ["A"] }])(
  "%j is 422",
  async (json) => {
    const harness = createHarness();
    const { id } = await harness.submit();
    expect((await createEditor(harness)(id, json))[0]).toBe(422);
  },
);

test("the environment and the GPUs of a job that waits for another attempt can be changed", async () => {
  const harness = createHarness();
  const past = { attempts: [], retryAt: 2_000_000_000, dir: "/x", hasWork: false, messages: {} };
  await harness.store.write((transaction) =>
    transaction.insertJob(createQueued("again", { past, envNames: ["A"] }), { A: "1" }),
  );
  expect(await createEditor(harness)("again", { env: { B: "2" }, gpu_idxs: [1], time_limit_s: 60 })).toMatchObject([
    200,
    { status: "queued", env_names: ["A", "B"], requested_gpu_idxs: [1], time_limit_s: 60 },
  ]);
  expect(harness.readEnv("again")).toEqual({ A: "1", B: "2" });
});
