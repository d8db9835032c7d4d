import { expect, test } from "bun:test";
import { createHarness } from "../../../../tests/support/api.ts";
import type { WireReservation } from "../../../wire/reservations/reservation.ts";

const PATH = "/v1/reservations";
const LATER = 1_700_100_000;

type Harness = ReturnType<typeof createHarness>;

const read = async (answer: Promise<Response>): Promise<[number, unknown]> => {
  const response = await answer;
  return [response.status, await response.json()];
};

const reserve = async ({ call }: Pick<Harness, "call">, json: object): Promise<WireReservation> => {
  const response = await call("POST", PATH, { json: { gpu_idxs: [0], user: "ann", until: LATER, ...json } });
  const made: unknown = await response.json();
  expect([response.status, made]).toEqual([201, expect.objectContaining({ id: expect.any(String) })]);
  return made as WireReservation;
};

const refuse = (harness: Harness, json: object): Promise<[number, unknown]> =>
  read(harness.call("POST", PATH, { json: { gpu_idxs: [0], user: "ann", until: LATER, ...json } }));

test("a reservation is made, listed, seen at its GPU and ended, and the queue is looked at", async () => {
  const harness = createHarness();
  const { call, wakes, lines } = harness;
  const json = { gpu_idxs: [1, 0, 1], until: LATER, why: "a demo" };
  const answer = await read(call("POST", PATH, { json, headers: { "x-nexus-user": "ann" } }));
  const shown = {
    ...{ id: expect.any(String), gpu_idxs: [0, 1], user: "ann", why: "a demo" },
    ...{ from: expect.any(Number), until: LATER },
  };
  expect(answer).toEqual([201, { ...shown, jobs: [] }]);
  expect(wakes()).toContain("queues");
  expect(lines.filter(({ event }) => event === "reservation changed").length).toBe(1);
  expect(await read(call("GET", PATH))).toEqual([200, [{ ...shown, jobs: [] }]]);
  const gpu = { is_reserved: true, reservations: [shown] };
  expect(await read(call("GET", "/v1/gpus"))).toMatchObject([200, [gpu, gpu]]);
  const { id } = answer[1] as WireReservation;
  expect(await read(call("DELETE", `${PATH}/${id}`))).toEqual([200, { ...shown, id, jobs: [] }]);
  expect(await read(call("DELETE", `${PATH}/${id}`))).toMatchObject([404, { error: "RESERVATION_NOT_FOUND" }]);
  expect(await read(call("GET", PATH))).toEqual([200, []]);
  expect(await read(call("GET", "/v1/gpus"))).toMatchObject([200, [{ is_reserved: false, reservations: [] }, {}]]);
});

test("one that is to come is listed, and its GPU is not reserved yet", async () => {
  const harness = createHarness();
  await reserve(harness, { from: LATER - 3600 });
  expect(await read(harness.call("GET", "/v1/gpus"))).toMatchObject([
    200,
    [{ is_reserved: false, reservations: [{ from: LATER - 3600 }] }, { reservations: [] }],
  ]);
});

test("what runs there goes on, and is named in the answer", async () => {
  const harness = createHarness();
  const { id } = await harness.submit({ user: "bob", num_gpus: 2 });
  await harness.startJob(id, [0, 1]);
  const made = await reserve(harness, { gpu_idxs: [1] });
  expect(made.jobs).toEqual([{ id, user: "bob", gpu_idxs: [1] }]);
  expect(await read(harness.call("GET", `/v1/jobs/${id}`))).toMatchObject([200, { status: "running" }]);
});

test("an overlap is a conflict that names the other; side by side, or one after the other, is none", async () => {
  const harness = createHarness();
  const first = await reserve(harness, { from: LATER - 100 });
  await reserve(harness, { gpu_idxs: [1] });
  await reserve(harness, { until: LATER - 100 });
  await reserve(harness, { from: LATER, until: LATER + 50 });
  expect(await refuse(harness, { user: "bob", from: LATER - 1 })).toEqual([
    409,
    expect.objectContaining({
      error: "GPU_RESERVED",
      message: expect.stringContaining(`reservation ${first.id} of ann`),
    }),
  ]);
  expect(await refuse(harness, { gpu_idxs: [0, 1], until: LATER + 500, from: LATER + 49 })).toMatchObject([409, {}]);
});

test("what can't be is refused and says so: no GPU, one that is not there, a time that is past or begins after its end", async () => {
  const harness = createHarness();
  const refusals = [
    [{ gpu_idxs: [] }, 422, "VALIDATION_ERROR"],
    [{ gpu_idxs: [7] }, 404, "GPU_NOT_FOUND"],
    [{ gpu_idxs: [-1] }, 422, "VALIDATION_ERROR"],
    [{ gpu_idxs: ["0"] }, 422, "VALIDATION_ERROR"],
    [{ until: 5 }, 422, "VALIDATION_ERROR"],
    [{ until: undefined }, 422, "VALIDATION_ERROR"],
    [{ from: LATER }, 422, "VALIDATION_ERROR"],
    [{ from: LATER + 1 }, 422, "VALIDATION_ERROR"],
    [{ user: undefined }, 422, "VALIDATION_ERROR"],
    [{ user: " " }, 422, "VALIDATION_ERROR"],
    [{ why: "x".repeat(1001) }, 422, "VALIDATION_ERROR"],
  ] as const;
  for (const [json, status, error] of refusals)
    expect([json, await refuse(harness, json)]).toMatchObject([json, [status, { error }]]);
  harness.hideGpus({ message: "no driver" });
  expect(await refuse(harness, {})).toMatchObject([
    500,
    { error: "GPU_ERROR", message: expect.stringContaining("no driver") },
  ]);
  expect(await read(harness.call("GET", PATH))).toEqual([200, []]);
});

test("a disk that is full says so", async () => {
  const harness = createHarness();
  harness.breakDisk();
  expect((await refuse(harness, {}))[0]).toBe(503);
});

const createRoles = (settings: Parameters<typeof createHarness>[2] = {}) => {
  const harness = createHarness(undefined, null, settings);
  const as = (name: string, role: "user" | "admin" | "viewer" | "agent") => {
    const headers = { authorization: `Bearer ${harness.addToken(name, role)}` };
    return (method: string, path: string, json?: object) =>
      read(harness.call(method, path, { peer: "10.1.2.3", headers, json }));
  };
  return { harness, as };
};

test("a user reserves for oneself, one GPU at once, and ends one's own; an admin does as they please", async () => {
  const { as } = createRoles();
  const [ann, root] = [as("ann", "user"), as("root", "admin")];
  const wish = { gpu_idxs: [0], until: LATER };
  expect(await ann("POST", PATH, { ...wish, user: "bob" })).toMatchObject([403, { error: "FORBIDDEN" }]);
  expect(await ann("POST", PATH, { ...wish, gpu_idxs: [0, 1] })).toMatchObject([
    403,
    { error: "LIMIT_REACHED", limit: "max_reserved", max: 1, asked: 2 },
  ]);
  const [status, own] = await ann("POST", PATH, wish);
  expect([status, own]).toMatchObject([201, { user: "ann" }]);
  expect(await ann("POST", PATH, { ...wish, gpu_idxs: [1] })).toMatchObject([403, { limit: "max_reserved", asked: 2 }]);
  expect((await ann("POST", PATH, { gpu_idxs: [1], from: LATER, until: LATER + 9 }))[0]).toBe(201);
  const [made, bobs] = await root("POST", PATH, { ...wish, gpu_idxs: [1], user: "bob" });
  expect([made, bobs]).toMatchObject([201, { user: "bob" }]);
  expect(await ann("DELETE", `${PATH}/${(bobs as WireReservation).id}`)).toMatchObject([
    403,
    { error: "FORBIDDEN", message: expect.stringContaining('of "bob"') },
  ]);
  expect((await ann("DELETE", `${PATH}/${(own as WireReservation).id}`))[0]).toBe(200);
  expect((await root("DELETE", `${PATH}/${(bobs as WireReservation).id}`))[0]).toBe(200);
});

test("how many GPUs a user may reserve is a setting, which may be none", async () => {
  const wish = { gpu_idxs: [0, 1], until: LATER };
  for (const [maxReserved, status] of [
    [0, 403],
    [1, 403],
    [2, 201],
  ] as const) {
    const { as } = createRoles({ reserveRules: { maxReserved, marginS: 3600 } });
    expect([maxReserved, (await as("ann", "user")("POST", PATH, wish))[0]]).toEqual([maxReserved, status]);
  }
});

test("a viewer and an agent reserve nothing, and both see what is reserved", async () => {
  const { as, harness } = createRoles();
  await reserve(harness, {});
  for (const role of ["viewer", "agent"] as const) {
    const call = as(role, role);
    expect(await call("POST", PATH, { gpu_idxs: [1], until: LATER })).toMatchObject([403, { error: "FORBIDDEN" }]);
    expect(await call("GET", PATH)).toMatchObject([200, [{ user: "ann" }]]);
  }
});

test("a job of another waits for a reserved GPU, says why and until when, and can't run immediately", async () => {
  const harness = createHarness();
  const { id: reservation } = await reserve(harness, { gpu_idxs: [0, 1], why: "a demo" });
  const { id } = await harness.submit({ user: "bob", num_gpus: 1 });
  expect(await read(harness.call("GET", `/v1/jobs/${id}/why`))).toMatchObject([
    200,
    {
      ...{ reason: "reserved", until: LATER, keeps_from: null },
      text: expect.stringMatching(/GPU 0 is reserved for ann until 2023-\S+Z: a demo; GPU 1 is reserved for ann/),
      gpus: [0, 1].map((index) => ({ index, obstacle: "reserved", user: "ann", job_id: null })),
    },
  ]);
  const json = { command: "true", user: "bob", run_immediately: true };
  expect(await read(harness.call("POST", "/v1/jobs", { json }))).toMatchObject([
    500,
    { error: "GPU_ERROR", message: expect.stringContaining(`reservation ${reservation} of ann`) },
  ]);
  expect(await read(harness.call("POST", "/v1/jobs", { json: { ...json, user: "ann" } }))).toMatchObject([201, {}]);
});

test("a time limit that ends before a reservation begins lets a job run there", async () => {
  const harness = createHarness();
  const soon = 1_700_000_000 + 2000;
  await reserve(harness, { gpu_idxs: [0, 1], from: soon });
  const run = async (time_limit_s: number | null): Promise<number> => {
    const json = { command: "true", user: "bob", run_immediately: true, time_limit_s };
    return (await harness.call("POST", "/v1/jobs", { json })).status;
  };
  expect(await run(null)).toBe(500);
  expect(await run(3000)).toBe(500);
  expect(await run(1000)).toBe(201);
  const far = createHarness();
  await reserve(far, { gpu_idxs: [0, 1], from: LATER - 3600 });
  const json = { command: "true", user: "bob", run_immediately: true };
  expect((await far.call("POST", "/v1/jobs", { json })).status).toBe(201);
});
