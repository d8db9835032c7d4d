import { expect, test } from "bun:test";
import { createHarness } from "../../../../tests/support/api.ts";

type Harness = ReturnType<typeof createHarness>;

const createUsers = ({ addToken, call, context }: Harness) => {
  const send = async (token: string, path: string, json: object): Promise<Response> =>
    call("PATCH", path, { json, headers: { authorization: `Bearer ${token}` } });
  return {
    ann: addToken("ann", "user"),
    bob: addToken("bob", "user"),
    chief: addToken("chief", "admin"),
    send,
    context,
  };
};

test("a job is told as not held and without a time, unless that was asked for", async () => {
  const { submit } = createHarness();
  expect(await submit()).toMatchObject({ held: false, begin_at: null });
  expect(await submit({ held: null, begin_at: null })).toMatchObject({ held: false, begin_at: null });
  expect(await submit({ held: true, begin_at: 2_000_000_000.5 })).toMatchObject({
    status: "queued",
    held: true,
    begin_at: 2_000_000_000.5,
  });
});

test.each([{ held: 1 }, { held: "yes" }, { begin_at: "18:30" }, { begin_at: -1 }, { begin_at: true }])(
  "%j is 422, in a request and in a patch",
  async (json) => {
    const { call, submit } = createHarness();
    const { id } = await submit();
    const request = { command: "true", user: "ann", ...json };
    expect((await call("POST", "/v1/jobs", { json: request })).status).toBe(422);
    expect((await call("PATCH", `/v1/jobs/${id}`, { json })).status).toBe(422);
  },
);

test.each([{ held: true }, { begin_at: 1 }, { begin_at: 2_000_000_000 }])(
  "a job that is to run immediately with %j is 422, and the field is named",
  async (fields) => {
    const { call } = createHarness();
    const json = { command: "true", user: "ann", run_immediately: true, ...fields };
    const answer = await call("POST", "/v1/jobs", { json });
    const [field] = Object.keys(fields);
    expect([answer.status, await answer.json()]).toMatchObject([422, { detail: [{ loc: ["body", field] }] }]);
    const batch = await call("POST", "/v1/jobs/batch", { json: [{ command: "true", user: "ann" }, json] });
    expect([batch.status, await batch.json()]).toMatchObject([422, { detail: [{ loc: ["body", 1, field] }] }]);
  },
);

test("a job that is to run immediately may say that it is not held", async () => {
  const { submit } = createHarness();
  expect(await submit({ run_immediately: true, held: false, begin_at: null })).toMatchObject({ held: false });
});

test("a held job keeps its place, and why says what lets it start", async () => {
  const { call, submit } = createHarness();
  const [first, second] = [await submit(), await submit()];
  const why = async (id: string) => (await call("GET", `/v1/jobs/${id}/why`)).json();
  await call("PATCH", `/v1/jobs/${first.id}`, { json: { held: true } });
  expect(await why(first.id)).toMatchObject({ reason: "held", until: null, position: 1 });
  expect(await why(second.id)).toMatchObject({ position: 2, ahead: [first.id] });
  const released = await call("PATCH", `/v1/jobs/${first.id}`, { json: { held: false } });
  expect(await released.json()).toMatchObject({ held: false, created_at: first.created_at, priority: first.priority });
  expect(await why(first.id)).toMatchObject({ reason: null, position: 1 });
});

test("why says until when a job is not to start, and holding comes first", async () => {
  const { call, submit } = createHarness();
  const { id } = await submit({ begin_at: 2_000_000_000 });
  const why = async () => (await call("GET", `/v1/jobs/${id}/why`)).json();
  expect(await why()).toMatchObject({
    reason: "begin",
    until: 2_000_000_000,
    text: "It is not to start before 2033-05-18T03:33:20Z",
  });
  await call("PATCH", `/v1/jobs/${id}`, { json: { held: true } });
  expect(await why()).toMatchObject({ reason: "held", until: null });
  await call("PATCH", `/v1/jobs/${id}`, { json: { held: null, begin_at: null } });
  expect(await why()).toMatchObject({ reason: null });
});

test("who may kill a job may hold and release it, others may not", async () => {
  const harness = createHarness();
  const { ann, bob, send } = createUsers(harness);
  const { id } = await harness.submit({ user: "ann" });
  expect((await send(bob, `/v1/jobs/${id}`, { held: true })).status).toBe(403);
  expect(await (await send(ann, `/v1/jobs/${id}`, { held: true })).json()).toMatchObject({ held: true });
  expect((await send(bob, `/v1/jobs/${id}`, { held: false })).status).toBe(403);
  expect(await (await send(ann, `/v1/jobs/${id}`, { held: false })).json()).toMatchObject({ held: false });
});

test("what an admin held only an admin releases, also once its owner held it", async () => {
  const harness = createHarness();
  const { ann, chief, send } = createUsers(harness);
  const { id } = await harness.submit({ user: "ann" });
  const path = `/v1/jobs/${id}`;
  expect((await send(chief, path, { held: true })).status).toBe(200);
  expect((await send(ann, path, { held: true, note: "why?" })).status).toBe(200);
  for (const held of [false, null]) {
    const refused = await send(ann, path, { held, note: "mine" });
    expect([refused.status, await refused.json()]).toMatchObject([403, { error: "FORBIDDEN" }]);
  }
  expect(await (await harness.call("GET", path)).json()).toMatchObject({ held: true, note: "why?" });
  expect(await (await send(chief, path, { held: false })).json()).toMatchObject({ held: false });
});

test("only a queued job can be held or given another time", async () => {
  const { call, submit, startJob, endJob } = createHarness();
  const { id } = await submit();
  await startJob(id);
  for (const json of [{ held: true }, { held: false }, { begin_at: 5 }])
    expect((await call("PATCH", `/v1/jobs/${id}`, { json })).status).toBe(400);
  await endJob(id);
  expect((await call("PATCH", `/v1/jobs/${id}`, { json: { held: true } })).status).toBe(400);
});
