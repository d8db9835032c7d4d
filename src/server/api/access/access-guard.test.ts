import { expect, test } from "bun:test";
import { createHarness, TOKEN } from "../../../../tests/support/api.ts";

const REMOTE = "10.1.2.3";

test("a remote request needs the token, and is told so", async () => {
  const { call } = createHarness();
  const response = await call("GET", "/v1/jobs", { peer: REMOTE });
  expect(response.status).toBe(401);
  expect(response.headers.get("www-authenticate")).toBe("Bearer");
  expect(await response.json()).toEqual({
    error: "AUTHENTICATION_REQUIRED",
    message: expect.any(String),
    status_code: 401,
    hint: expect.any(String),
  });
});

test.each(["Bearer wrong", "Basic abc", "Bearer", `Bearer ${TOKEN.slice(1)}`])(
  "%p is not the token",
  async (authorization) => {
    const response = await createHarness().call("GET", "/v1/jobs", { peer: REMOTE, headers: { authorization } });
    expect(response.status).toBe(401);
    expect(await response.json()).toMatchObject({ error: "INVALID_CREDENTIALS", hint: expect.any(String) });
  },
);

test("the right token opens everything to a remote request, in any case of the scheme", async () => {
  const { call } = createHarness();
  for (const authorization of [`Bearer ${TOKEN}`, `bearer ${TOKEN}`]) {
    expect((await call("GET", "/v1/jobs", { peer: REMOTE, headers: { authorization } })).status).toBe(200);
  }
});

test("a server without a token lets no remote request in", async () => {
  const { context } = createHarness();
  const { createApp } = await import("../app.ts");
  const app = createApp({ ...context, tokenDigest: () => null });
  const headers = { host: "atlas", authorization: "Bearer " };
  const ask = (authorization: string) =>
    app.fetch(new Request("http://atlas/v1/jobs", { headers: { ...headers, authorization } }), { address: REMOTE });
  expect((await ask("Bearer x")).status).toBe(401);
  expect((await ask("Bearer ")).status).toBe(401);
});

test("only reading the health is open to all", async () => {
  const { call } = createHarness();
  expect((await call("GET", "/v1/health", { peer: REMOTE })).status).toBe(200);
  expect((await call("HEAD", "/v1/health", { peer: REMOTE })).status).toBe(200);
  expect((await call("POST", "/v1/health", { peer: REMOTE })).status).toBe(401);
  for (const path of [
    "/v1/server/status",
    "/v1/gpus",
    "/openapi.json",
    "/docs",
    "/metrics",
    "/nothing",
    "/v1/health/",
  ]) {
    expect((await call("GET", path, { peer: REMOTE })).status).toBe(401);
  }
});

test.each([
  ["evil.example", null],
  [null, null],
  ["localhost", "http://evil.example"],
  ["localhost", "null"],
])("host %p with origin %p is refused on every route", async (host, origin) => {
  const { call } = createHarness();
  for (const path of ["/v1/health", "/v1/jobs", "/docs", "/nothing"]) {
    const response = await call("GET", path, { headers: { host, origin } });
    expect(response.status).toBe(403);
    expect(await response.json()).toMatchObject({ error: "FORBIDDEN_ORIGIN", status_code: 403 });
    expect(response.headers.get("access-control-allow-origin")).toBeNull();
  }
});

test("the configured names and addresses are the server's own", async () => {
  const { call } = createHarness();
  for (const host of ["atlas", "nexus.example.com:1", "10.0.0.7", "[fd00::1]:54323", "127.0.0.1"]) {
    expect((await call("GET", "/v1/jobs", { headers: { host, origin: `http://${host}` } })).status).toBe(200);
  }
});

test("a request refused for its origin changes nothing", async () => {
  const { call, store } = createHarness();
  const json = { command: "true", user: "ann" };
  await call("POST", "/v1/jobs", { json, headers: { origin: "http://evil.example" } });
  expect(store.countJobs().queued).toBe(0);
});

test("as many requests may wait as the server takes, and its followers beside them; it can always be asked whether it lives", async () => {
  const { call, context } = createHarness();
  const { maxRequests } = context.settings.limits;
  const ask = async (pendingRequests: number, path = "/v1/jobs"): Promise<number> =>
    (await call("GET", path, { pendingRequests })).status;
  expect([await ask(maxRequests), await ask(maxRequests + 1)]).toEqual([200, 503]);
  const { headers } = await call("GET", "/v1/jobs", { pendingRequests: maxRequests + 1 });
  expect([headers.get("connection"), headers.get("retry-after")]).toEqual(["close", "5"]);
  for (const _follower of [1, 2]) await call("GET", "/v1/events");
  expect([await ask(maxRequests + 2), await ask(maxRequests + 3)]).toEqual([200, 503]);
  expect(await ask(10 * maxRequests, "/v1/health")).toBe(200);
});

test("wrong tokens are told of once they are too many, and not again", async () => {
  const { call, lines } = createHarness();
  const told = () => lines.filter(({ event }) => event === "too many wrong tokens");
  const guess = () => call("GET", "/v1/jobs", { peer: REMOTE, headers: { authorization: "Bearer wrong" } });
  for (let count = 1; count < 10; count++) expect((await guess()).status).toBe(401);
  expect(told()).toEqual([]);
  const [last, late] = [await guess(), await guess()];
  expect([last.status, late.status]).toEqual([401, 429]);
  expect([last, late].map(({ headers }) => headers.get("retry-after"))).toEqual([
    null,
    expect.stringMatching(/^[45]\d$/),
  ]);
  expect(told()).toMatchObject([{ level: "warn", fields: { peer: REMOTE, limit: 10 } }]);
});
