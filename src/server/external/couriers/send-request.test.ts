import { expect, onTestFinished, test } from "bun:test";
import { createServer } from "node:net";
import { startStandIn } from "../../../../tests/support/stand-ins/stand-in.ts";
import { USER_AGENT, VERSION } from "../../../base/version.ts";
import { readRetryAfter, sendRequest } from "./send-request.ts";

const ALWAYS = new AbortController().signal;
const NOW_MS = Date.parse("Tue, 24 Nov 2026 12:00:00 GMT");

test.each([
  ["120", 120],
  ["0.5", 0.5],
  ["Tue, 24 Nov 2026 12:01:30 GMT", 90],
  ["Tue, 24 Nov 2026 11:00:00 GMT", 0],
  ["soon", null],
  [null, null],
] as const)("Retry-After %p is %p seconds", (value, seconds) => {
  expect(readRetryAfter(value, NOW_MS)).toBe(seconds);
});

const send = (url: string, signal: AbortSignal = AbortSignal.timeout(1000)) =>
  sendRequest({ name: "The service", url, body: "x" }, signal);

const serve = () => {
  const service = startStandIn(() => ({ status: 200, body: "fine" }));
  onTestFinished(() => service.stop());
  return service;
};

test("a service is told which program asks, in which version", async () => {
  const service = serve();
  await send(service.url);
  await sendRequest(
    { name: "The service", url: service.url, headers: { "content-type": "text/plain" }, body: "x" },
    ALWAYS,
  );
  expect(service.requests.map(({ headers }) => headers.get("user-agent"))).toEqual([USER_AGENT, USER_AGENT]);
  expect(USER_AGENT).toBe(`nexus/${VERSION}`);
});

test("an answer is its text, and of an endless one no more than 64 KiB and a block is read", async () => {
  const service = serve();
  expect(await send(service.url)).toEqual({ ok: true, value: "fine" });
  service.failNext({ kind: "status", status: 200, body: "x".repeat(10 * 1024 * 1024) });
  const long = await send(service.url);
  expect(long.ok && long.value.length).toBeLessThan(1024 * 1024);
});

test.each([
  [400, true, false],
  [401, true, false],
  [404, true, false],
  [302, true, false],
  [408, false, false],
  [425, false, false],
  [429, false, false],
  [500, false, true],
  [503, false, true],
])("status %d: final %p, uncertain %p", async (status, isFinal, isUncertain) => {
  const service = serve();
  service.failNext({ kind: "status", status, headers: { Location: service.url } });
  expect(await send(service.url)).toMatchObject({ ok: false, error: { isFinal, isUncertain } });
  expect(service.requests).toHaveLength(1);
});

test("a service that is not there has certainly not heard of it, one that hangs or hangs up may have", async () => {
  const gone = serve();
  await gone.stop();
  expect(await send(gone.url)).toMatchObject({ error: { isFinal: false, isUncertain: false } });
  const hanging = serve();
  hanging.failAlways({ kind: "hang" });
  expect(await send(hanging.url, AbortSignal.timeout(50))).toMatchObject({
    error: { message: "The service did not answer in time", isFinal: false, isUncertain: true },
  });
  const { promise, resolve } = Promise.withResolvers<number>();
  const rude = createServer((socket) => socket.once("data", () => socket.destroy())).listen(0, "127.0.0.1", () => {
    const address = rude.address();
    resolve(typeof address === "object" && address !== null ? address.port : 0);
  });
  onTestFinished(() => void rude.close());
  expect(await send(`http://127.0.0.1:${await promise}/`)).toMatchObject({
    error: { isFinal: false, isUncertain: true },
  });
});

test("what a service says is told in one line of at most 200 characters, a page is not", async () => {
  const service = serve();
  service.failNext(
    { kind: "status", status: 400, body: `{"message": "Invalid\u0007 Form ${"x".repeat(150)}"}` },
    { kind: "status", status: 502, body: "<html><body>Bad gateway</body></html>" },
  );
  const [first, second] = [await send(service.url), await send(service.url)];
  expect(first).toMatchObject({ error: { message: expect.stringContaining("answered 400: Invalid Form xxx") } });
  expect(second).toMatchObject({ error: { message: "The service answered 502" } });
});
