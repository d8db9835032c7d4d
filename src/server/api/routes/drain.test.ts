import { expect, test } from "bun:test";
import { createHarness } from "../../../../tests/support/api.ts";

const PATH = "/v1/server/drain";

const read = async (answer: Promise<Response>): Promise<[number, unknown]> => {
  const response = await answer;
  return [response.status, await response.json()];
};

test("a drain is begun and ended, is in the status, and both may be said twice", async () => {
  const { call, lines, wakes } = createHarness();
  const readDrain = async () => ((await (await call("GET", "/v1/server/status")).json()) as { drain: unknown }).drain;
  expect(await readDrain()).toBeNull();
  const json = { why: "a new driver", until: 1_800_000_000 };
  const headers = { "x-nexus-user": "ann" };
  const drain = { ...json, since: expect.any(Number), by: "ann" };
  expect(await read(call("PUT", PATH, { json, headers }))).toEqual([200, { drain, changed: true }]);
  expect(await read(call("PUT", PATH, { json, headers }))).toEqual([200, { drain, changed: false }]);
  expect(await readDrain()).toEqual(drain);
  expect(lines.filter(({ event }) => event === "drain changed").length).toBe(1);
  expect(await read(call("DELETE", PATH))).toEqual([200, { drain: null, changed: true }]);
  expect(await read(call("DELETE", PATH))).toEqual([200, { drain: null, changed: false }]);
  expect(await readDrain()).toBeNull();
  expect(wakes()).toContain("queues");
});

test("while it is drained jobs are taken and wait, say why, and none runs immediately", async () => {
  const { call, submit } = createHarness();
  await call("PUT", PATH, { json: { why: "moving house" } });
  const { id, status } = await submit();
  expect(status).toBe("queued");
  expect(await read(call("GET", `/v1/jobs/${id}/why`))).toMatchObject([
    200,
    { reason: "drained", until: null, text: "The server is drained by 127.0.0.1: moving house" },
  ]);
  const json = { command: "true", user: "ann", num_gpus: 0, run_immediately: true };
  expect(await read(call("POST", "/v1/jobs", { json }))).toMatchObject([
    500,
    { error: "GPU_ERROR", message: expect.stringContaining("drained by 127.0.0.1: moving house") },
  ]);
});

test("a drain is the first of all reasons, and says when it ends", async () => {
  const { call, submit } = createHarness();
  const { id } = await submit({ held: true });
  await call("PUT", PATH, { json: { until: 1_800_000_000 } });
  expect(await read(call("GET", `/v1/jobs/${id}/why`))).toMatchObject([
    200,
    { reason: "drained", until: 1_800_000_000 },
  ]);
});

test("an end that is past, or a reason that is none, is refused, and a disk that is full says so", async () => {
  const { call, breakDisk } = createHarness();
  for (const json of [{ until: 5 }, { until: "soon" }, { why: 7 }, { why: "x".repeat(1001) }])
    expect((await call("PUT", PATH, { json })).status).toBe(422);
  breakDisk();
  expect((await call("PUT", PATH, { json: {} })).status).toBe(503);
});
