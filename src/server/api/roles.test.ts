import { describe, expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type CallOptions, createHarness, type Harness, TOKEN } from "../../../tests/support/api.ts";
import { ok } from "../../base/result.ts";
import { CLOSE_CODES } from "../../wire/attach.ts";
import type { WireJob } from "../../wire/job.ts";
import type { Role } from "../core/access/access.ts";
import type { SocketHandler } from "../core/running/job-terminal.ts";
import { createApp } from "./app.ts";

const REMOTE = "10.1.2.3";

type Call = (method: string, path: string, options?: CallOptions) => Promise<Response>;

const callAs =
  ({ call }: Harness, token: string): Call =>
  (method, path, options = {}) =>
    call(method, path, {
      ...options,
      peer: REMOTE,
      headers: { authorization: `Bearer ${token}`, "x-nexus-user": "bob", ...options.headers },
    });

const RESERVED = { gpuIdxs: [1], from: 1_800_000_000, until: 1_900_000_000, why: null };

const createWorld = async (role: Role) => {
  const harness = createHarness();
  for (const user of ["ann", "bob"]) {
    for (const kind of ["queued", "running"]) await harness.submit({ job_id: `${user}-${kind}`, user });
    await harness.startJob(`${user}-running`);
    await harness.submit({ job_id: `${user}-ended`, user });
    await harness.endJob(`${user}-ended`);
    const outputs = join(harness.serverDir, "jobs", `${user}-running`, "outputs");
    mkdirSync(outputs, { recursive: true });
    writeFileSync(join(outputs, "made"), "x");
  }
  await harness.store.write(({ insertReservation }) => {
    for (const user of ["ann", "bob"]) insertReservation({ id: `of-${user}`, user, ...RESERVED });
  });
  return { harness, as: callAs(harness, harness.addToken("ann", role)) };
};

const json = { command: "true", num_gpus: 0 };

type Try = readonly [what: string, method: string, path: string, options: CallOptions];

const READS: readonly Try[] = [
  "/v1/health",
  "/v1/server/status",
  "/v1/gpus",
  "/v1/reservations",
  "/v1/jobs",
  "/v1/jobs/bob-queued",
  "/v1/jobs/bob-queued/why",
  "/v1/jobs/bob-running/logs",
  "/v1/jobs/bob-running/deliveries",
  "/v1/jobs/bob-running/files",
  "/v1/jobs/bob-running/files/made",
  "/v1/jobs/bob-running/files.tar",
  "/v1/artifacts/by-sha/abcd",
  "/v1/usage",
  "/v1/usage/estimates",
  "/metrics",
  "/openapi.json",
  "/docs",
].map((path) => [`read ${path}`, "GET", path, {}]);

const OWN: readonly Try[] = [
  ["submit without a name", "POST", "/v1/jobs", { json }],
  ["submit as oneself", "POST", "/v1/jobs", { json: { ...json, user: "ann" } }],
  ["submit several", "POST", "/v1/jobs/batch", { json: [json, { ...json, user: "ann" }] }],
  ["edit an own job", "PATCH", "/v1/jobs/ann-queued", { json: { priority: 1 } }],
  ["remove an own job", "DELETE", "/v1/jobs/ann-queued", {}],
  ["kill an own job", "POST", "/v1/jobs/ann-running/kill", {}],
  ["remove an own job's files", "DELETE", "/v1/jobs/ann-ended/files", {}],
  ["say that an own job's files were fetched", "PATCH", "/v1/jobs/ann-ended/files", { json: { pulled: true } }],
  ["upload", "POST", "/v1/artifacts", { body: "tar" }],
  ["end an own reservation", "DELETE", "/v1/reservations/of-ann", {}],
  ["test notifications", "POST", "/v1/notifications/test", { json: { channel: "team" } }],
];

const OF_USERS: readonly Try[] = [
  ["reserve a GPU", "POST", "/v1/reservations", { json: { gpu_idxs: [0], until: 1_800_000_000 } }],
];

const OTHERS: readonly Try[] = [
  ["submit as another", "POST", "/v1/jobs", { json: { ...json, user: "bob" } }],
  ["submit as one called nearly so", "POST", "/v1/jobs", { json: { ...json, user: "Ann" } }],
  ["submit several, one as another", "POST", "/v1/jobs/batch", { json: [json, { ...json, user: "bob" }] }],
  ["edit another's job", "PATCH", "/v1/jobs/bob-queued", { json: { priority: 1 } }],
  ["tag another's job", "PATCH", "/v1/jobs/bob-running", { json: { git_tag: "x" } }],
  ["edit nothing of another's job", "PATCH", "/v1/jobs/bob-queued", { json: {} }],
  ["remove another's job", "DELETE", "/v1/jobs/bob-queued", {}],
  ["kill another's job", "POST", "/v1/jobs/bob-running/kill", {}],
  ["remove another's files", "DELETE", "/v1/jobs/bob-ended/files", {}],
  ["say that another's files were fetched", "PATCH", "/v1/jobs/bob-ended/files", { json: { pulled: true } }],
  ["use what is blacklisted", "POST", "/v1/jobs", { json: { ...json, ignore_blacklist: true } }],
  ["use it in one of several", "POST", "/v1/jobs/batch", { json: [json, { ...json, ignore_blacklist: true }] }],
  ["blacklist a GPU", "PUT", "/v1/gpus/1/blacklist", {}],
  [
    "reserve a GPU for another",
    "POST",
    "/v1/reservations",
    { json: { gpu_idxs: [0], until: 1_800_000_000, user: "bob" } },
  ],
  ["end another's reservation", "DELETE", "/v1/reservations/of-bob", {}],
  ["give a GPU back", "DELETE", "/v1/gpus/1/blacklist", {}],
  ["clear what a log said against a GPU", "DELETE", "/v1/gpus/1/fault", {}],
];

const MAY: Readonly<Record<Role, readonly Try[]>> = {
  viewer: READS,
  agent: [...READS, ...OWN],
  user: [...READS, ...OWN, ...OF_USERS],
  admin: [...READS, ...OWN, ...OF_USERS, ...OTHERS],
};

describe.each(["viewer", "agent", "user", "admin"] as const)("a remote %s called ann", (role) => {
  const allowed = MAY[role];
  const refused = [...READS, ...OWN, ...OF_USERS, ...OTHERS].filter((one) => !allowed.includes(one));

  test.each(allowed)("may %s", async (_what, method, path, options) => {
    const { as } = await createWorld(role);
    const response = await as(method, path, options);
    expect(response.status).toBeWithin(200, 300);
  });

  test.each(refused)("may not %s, and nothing changes", async (_what, method, path, options) => {
    const { harness, as } = await createWorld(role);
    const before = await Array.fromAsync(harness.store.listJobs({ limit: 100, offset: 0 }));
    const response = await as(method, path, options);
    expect([response.status, await response.json()]).toEqual([403, expect.objectContaining({ error: "FORBIDDEN" })]);
    expect(await Array.fromAsync(harness.store.listJobs({ limit: 100, offset: 0 }))).toEqual(before);
    expect(harness.store.listBlacklist().size).toBe(0);
    expect(harness.store.listReservations().length).toBe(2);
  });
});

test("a job is of whom the token names, whoever the header says", async () => {
  const { as } = await createWorld("user");
  const { user } = (await (await as("POST", "/v1/jobs", { json })).json()) as WireJob;
  const batch = (await (await as("POST", "/v1/jobs/batch", { json: [json, json] })).json()) as readonly WireJob[];
  expect([user, ...batch.map((job) => job.user)]).toEqual(["ann", "ann", "ann"]);
});

test("an admin's jobs are of whom they say, by default of the admin", async () => {
  const { as } = await createWorld("admin");
  const submit = async (user: object) =>
    ((await (await as("POST", "/v1/jobs", { json: { ...json, ...user } })).json()) as WireJob).user;
  expect([await submit({}), await submit({ user: "bob" })]).toEqual(["ann", "bob"]);
});

test("who is known by no name must give one", async () => {
  const { call } = createHarness();
  const response = await call("POST", "/v1/jobs/batch", { json: [{ ...json, user: "ann" }, json] });
  expect(response.status).toBe(422);
  expect(await response.json()).toMatchObject({ detail: [{ loc: ["body", 1, "user"], type: "invalid_type" }] });
});

test("a retry is answered with the job, another's id never", async () => {
  const { as, harness } = await createWorld("user");
  const mine = { ...json, job_id: "mine" };
  expect((await as("POST", "/v1/jobs", { json: mine })).status).toBe(201);
  expect((await as("POST", "/v1/jobs", { json: { ...mine, user: "ann" } })).status).toBe(200);
  await harness.submit({ job_id: "secret", command: "python secret.py", user: "bob" });
  const taken = await as("POST", "/v1/jobs", { json: { ...json, job_id: "secret", command: "python secret.py" } });
  expect(taken.status).toBe(409);
  expect(await taken.text()).not.toContain("python");
  expect(harness.store.findJob("secret" as never)?.user).toBe("bob");
});

test.each([
  ["viewer", "ann-running", "", 403],
  ["viewer", "bob-running", "?read_only=true", 400],
  ["user", "ann-running", "", 400],
  ["user", "bob-running", "", 403],
  ["user", "bob-running", "?read_only=false", 403],
  ["user", "bob-running", "?read_only=true", 400],
  ["admin", "bob-running", "", 400],
] as const)(
  "a %s asks for the terminal of %s%s: %p, where 400 only misses the WebSocket",
  async (role, id, query, status) => {
    const { harness } = await createWorld(role);
    const context = { ...harness.context, executor: { ...harness.context.executor, attachCommand: () => ["screen"] } };
    const app = createApp(context);
    const call: Harness["call"] = async (method, path, { headers = {} } = {}) => {
      const sent = { host: "localhost", ...headers } as Record<string, string>;
      return app.fetch(new Request(`http://localhost${path}`, { method, headers: sent }), { address: REMOTE });
    };
    harness.revokeToken("ann");
    const as = callAs({ ...harness, call }, harness.addToken("ann", role));
    expect((await as("GET", `/v1/jobs/${id}/attach${query}`)).status).toBe(status);
  },
);

test("a token ends when it is revoked and when it expires", async () => {
  const harness = createHarness();
  const ask = async (token: string) => (await callAs(harness, token)("GET", "/v1/jobs")).status;
  const ann = harness.addToken("ann", "user");
  const now = harness.context.clock();
  const bob = harness.addToken("bob", "user", now + 3);
  expect([await ask(ann), await ask(bob)]).toEqual([200, 200]);
  harness.revokeToken("ann");
  harness.context.clock();
  const refused = await callAs(harness, bob)("GET", "/v1/jobs");
  expect([await ask(ann), refused.status]).toEqual([401, 401]);
  expect(await refused.json()).toMatchObject({ message: "The bearer token has expired" });
});

test("who follows or types is cut off when the token is revoked, others are not", async () => {
  const harness = createHarness();
  const { call } = harness;
  await harness.submit({ job_id: "a", user: "ann" });
  await harness.startJob("a");
  const open = () => ok({ write: () => 0, resize: () => undefined, close: () => undefined });
  const executor = { ...harness.context.executor, attachCommand: () => ["screen"] };
  const app = createApp({ ...harness.context, executor, terminals: { open, run: async () => {} } });
  const closed = Promise.withResolvers<number>();
  const upgrade = (handler: SocketHandler): boolean => {
    handler.onOpen({ send: () => undefined, countWaiting: () => 0, close: (code) => closed.resolve(code) });
    return true;
  };
  const authorization = `Bearer ${harness.addToken("ann", "user")}`;
  const headers = { host: "localhost", upgrade: "websocket", authorization };
  await app.fetch(new Request("http://localhost/v1/jobs/a/attach", { headers }), { address: REMOTE, upgrade });
  const follow = async (asked: CallOptions) => (await call("GET", "/v1/events", asked)).body?.getReader();
  const [cut, kept] = [await follow({ peer: REMOTE, headers: { authorization } }), await follow({})];
  harness.revokeToken("ann");
  let last = await cut?.read();
  while (last?.done === false) last = await cut?.read();
  expect(await closed.promise).toBe(CLOSE_CODES.refused);
  await harness.submit({ job_id: "b" });
  expect(new TextDecoder().decode((await kept?.read())?.value)).not.toBe("");
  await kept?.cancel();
});

test("loopback that is not trusted is told what else there is", async () => {
  const { context, addToken } = createHarness();
  const app = createApp({
    ...context,
    settings: { ...context.settings, local: { ...context.settings.local, loopback: "nobody" } },
  });
  const ask = (headers: Record<string, string>) =>
    app.fetch(new Request("http://localhost/v1/jobs", { headers: { host: "localhost", ...headers } }), {
      address: "::1",
    });
  const refused = await ask({});
  expect([refused.status, await refused.json()]).toMatchObject([
    401,
    { hint: expect.stringContaining("NEXUS_SOCKET") },
  ]);
  expect((await ask({ authorization: `Bearer ${addToken("ann", "viewer")}` })).status).toBe(200);
});

const FORWARDED = {
  "x-forwarded-for": "127.0.0.1",
  "x-forwarded-host": "localhost",
  "x-real-ip": "127.0.0.1",
  forwarded: "for=127.0.0.1;host=localhost",
  "x-nexus-user": "root",
  via: "1.1 localhost",
  "x-client-ip": "::1",
  "true-client-ip": "::1",
  "cf-connecting-ip": "::1",
};

test("headers that tell of other addresses or users change nothing", async () => {
  const harness = createHarness();
  const { call, addToken } = harness;
  expect((await call("GET", "/v1/jobs", { peer: REMOTE, headers: FORWARDED })).status).toBe(401);
  const authorization = `Bearer ${addToken("ann", "user")}`;
  const blacklist = await call("PUT", "/v1/gpus/1/blacklist", {
    peer: REMOTE,
    headers: { ...FORWARDED, authorization },
  });
  expect(blacklist.status).toBe(403);
  const limited = { ...FORWARDED, authorization: "Bearer wrong" };
  for (let guess = 0; guess < 10; guess++)
    await call("GET", "/v1/jobs", { peer: REMOTE, headers: { ...limited, "x-forwarded-for": `10.9.9.${guess}` } });
  expect((await call("GET", "/v1/jobs", { peer: REMOTE, headers: limited })).status).toBe(429);
  expect(harness.lines.at(-1)?.fields["peer"]).toBe(REMOTE);
});

test("wrong tokens from one address are answered with 429 after ten, right ones never hurt", async () => {
  const harness = createHarness();
  const { call, lines } = harness;
  const ann = harness.addToken("ann", "user");
  const ask = async (token: string | null, peer: string) =>
    call("GET", "/v1/jobs", { peer, headers: token === null ? {} : { authorization: `Bearer ${token}` } });
  for (let guess = 0; guess < 10; guess++) expect((await ask(`guess ${guess}`, REMOTE)).status).toBe(401);
  const limited = await ask("guess", REMOTE);
  expect([limited.status, await limited.json()]).toMatchObject([429, { error: "TOO_MANY_REQUESTS" }]);
  expect(Number(limited.headers.get("retry-after"))).toBeWithin(1, 61);
  expect((await ask(ann, REMOTE)).status).toBe(200);
  expect((await ask(TOKEN, REMOTE)).status).toBe(429);
  expect((await ask(TOKEN, "10.1.2.4")).status).toBe(200);
  expect((await ask(null, REMOTE)).status).toBe(401);
  expect((await ask("guess", "10.1.2.4")).status).toBe(401);
  expect(lines.filter(({ event }) => event === "too many wrong tokens")).toEqual([
    {
      level: "warn",
      event: "too many wrong tokens",
      fields: { request_id: expect.any(String), peer: REMOTE, limit: 10 },
    },
  ]);
});

test("the line of a change says who, how, from where and what came of it; that of a refusal, why", async () => {
  const harness = createHarness();
  const { lines } = harness;
  const as = callAs(harness, harness.addToken("ann", "user"));
  await as("POST", "/v1/jobs", { json: { ...json, job_id: "a" } });
  await harness.submit({ job_id: "b", user: "bob" });
  await as("POST", "/v1/jobs/b/kill");
  await callAs(harness, "wrong")("DELETE", "/v1/jobs/b");
  const told = lines.filter(({ event, level }) => event === "request" && level === "info").map(({ fields }) => fields);
  const who = { user: "ann", role: "user", via: "token", peer: REMOTE };
  expect(told).toMatchObject([
    { method: "POST", path: "/v1/jobs", status: 201, ...who },
    { method: "POST", path: "/v1/jobs", status: 201, user: null, role: "admin", via: "loopback", peer: "127.0.0.1" },
    { method: "POST", path: "/v1/jobs/b/kill", status: 403, refused: "FORBIDDEN", ...who },
    { method: "DELETE", path: "/v1/jobs/b", status: 401, refused: "INVALID_CREDENTIALS", peer: REMOTE },
  ]);
  const submitted = lines.find(({ event }) => event === "job changed");
  expect(submitted?.fields).toMatchObject({ job_id: "a", user: "ann", reason: `submitted by ann at ${REMOTE}` });
});
