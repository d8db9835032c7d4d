import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { connect } from "node:net";
import { createWorld, type World } from "../../support/world.ts";

let world: World;

beforeAll(async () => {
  world = await createWorld();
  await world.startServer();
});

afterAll(() => world.dispose());

const LAST = "GET /v1/health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";

const talk = (bytes: string): Promise<readonly number[]> => {
  const { promise, resolve } = Promise.withResolvers<readonly number[]>();
  let received = "";
  const socket = connect(Number(new URL(world.url).port), "127.0.0.1", () => socket.write(bytes, "latin1"));
  socket.setTimeout(2000, () => socket.destroy());
  socket.on("data", (data) => {
    received += data.toString("latin1");
  });
  socket.on("error", () => undefined);
  socket.on("close", () => resolve([...received.matchAll(/HTTP\/1\.1 (\d{3})/g)].map(([, status]) => Number(status))));
  return promise;
};

const get = (path: string, host = "localhost", headers = ""): string =>
  `GET ${path} HTTP/1.1\r\nHost: ${host}\r\n${headers}\r\n`;

const post = (headers: string, body: string): string =>
  `POST /v1/jobs HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n${headers}\r\n${body}`;

const SMUGGLED: readonly (readonly [string, string])[] = [
  ["a length and chunks", post("Content-Length: 6\r\nTransfer-Encoding: chunked\r\n", `0\r\n\r\n${LAST}`)],
  ["two lengths", post("Content-Length: 2\r\nContent-Length: 90\r\n", `{}${LAST}`)],
  ["a list of lengths", post("Content-Length: 2, 2\r\n", `{}${LAST}`)],
  ["a length with a sign", post("Content-Length: +2\r\n", `{}${LAST}`)],
  ["a length in another base", post("Content-Length: 0x2\r\n", `{}${LAST}`)],
  ["a length beyond all", post("Content-Length: 99999999999999999999\r\n", `{}${LAST}`)],
  ["an encoding unknown", post("Transfer-Encoding: xchunked\r\n", `0\r\n\r\n${LAST}`)],
  ["two encodings", post("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", `0\r\n\r\n${LAST}`)],
  ["chunks of no size", post("Transfer-Encoding: chunked\r\n", `zz\r\n{}\r\n0\r\n\r\n${LAST}`)],
  ["chunks with bare newlines", post("Transfer-Encoding: chunked\r\n", `2\n{}\n0\n\n${LAST}`)],
  ["a header with a bare newline", `GET / HTTP/1.1\r\nHost: localhost\nX: y\r\n\r\n${LAST}`],
  ["a name with a space behind it", `GET / HTTP/1.1\r\nHost : localhost\r\n\r\n${LAST}`],
  ["a header over two lines", `GET / HTTP/1.1\r\nHost: localhost\r\nX: y\r\n z\r\n\r\n${LAST}`],
  ["NUL in a header", `GET / HTTP/1.1\r\nHost: localhost\r\nX: a\0b\r\n\r\n${LAST}`],
  ["no host", `GET / HTTP/1.1\r\n\r\n${LAST}`],
];

test.each(SMUGGLED)("%s: one refusal, and nothing behind it is a request", async (_what, bytes) => {
  const statuses = await talk(bytes);
  expect(statuses).toHaveLength(1);
  expect(statuses[0]).toBeWithin(400, 500);
});

const TOO_LARGE: readonly (readonly [string, string])[] = [
  ["a header of 20 kB", get("/v1/jobs", "localhost", `X: ${"x".repeat(20_000)}\r\n`)],
  ["300 headers", get("/v1/jobs", "localhost", Array.from({ length: 300 }, (_, n) => `X${n}: y\r\n`).join(""))],
  ["an address of 20 kB", get(`/${"x".repeat(20_000)}`)],
];

test.each(TOO_LARGE)("%s is refused with 431", async (_what, bytes) => {
  expect(await talk(bytes)).toEqual([431]);
});

test("another protocol or version is refused by the parser, and closed", async () => {
  for (const bytes of [
    "GET / HTTP/2.0\r\nHost: a\r\n\r\n",
    "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "\x16\x03\x01\x02\0\x01",
  ]) {
    const statuses = await talk(bytes + LAST);
    expect(statuses.length).toBeLessThanOrEqual(1);
    for (const status of statuses) expect([400, 505]).toContain(status);
  }
});

test("requests in a row are each answered, in their order", async () => {
  expect(await talk(get("/v1/jobs") + get("/nothing") + LAST)).toEqual([200, 404, 200]);
});

const HOSTS = [
  "evil.example",
  "localhost.evil.example",
  "127.0.0.1.evil.example",
  "localhost@evil.example",
  "0x7f.1",
  "",
];

describe("no page of another site reaches the server:", () => {
  test.each(HOSTS)("not as host %j", async (host) => {
    const [status, ...more] = await talk(get("/v1/jobs", host) + LAST);
    expect([400, 403]).toContain(status ?? 0);
    expect(more.length).toBeLessThanOrEqual(1);
  });

  test.each([
    "http://evil.example",
    "null",
    "https://localhost.evil.example",
    "file://",
    "http://localhost@evil.example",
  ])("not with origin %j", async (origin) => {
    expect(await talk(get("/v1/jobs", "localhost", `Origin: ${origin}\r\n`) + LAST)).toEqual([403, 200]);
  });

  test("not with two hosts, and not by an address that names another", async () => {
    expect(await talk(get("/v1/jobs", "localhost", "Host: evil.example\r\n") + LAST)).toEqual([403, 200]);
    expect(await talk(get("http://evil.example/v1/jobs", "evil.example") + LAST)).toEqual([403, 200]);
  });
});

const PATHS = [
  "/v1/jobs/..%2f..%2fsecret.key",
  "/v1/jobs/%2e%2e%2f%2e%2e/logs",
  "/v1/jobs/a%00b/logs",
  "/v1/jobs/a%2Fb",
  "/v1/jobs/%FF/logs",
  "//v1/jobs",
  "/v1/jobs/x/../../../../etc/passwd",
];

test.each(PATHS)("%s leads to nothing", async (path) => {
  const [status] = await talk(get(path) + LAST);
  expect(status).toBe(404);
});
