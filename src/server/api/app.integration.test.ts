import { afterEach, expect, test } from "bun:test";
import net from "node:net";
import { createHarness } from "../../../tests/support/api.ts";
import { waitUntil } from "../../../tests/support/wait.ts";
import { ok } from "../../base/result.ts";
import { MAX_ARTIFACT_BYTES } from "../../wire/limits.ts";
import type { ArtifactId } from "../core/jobs/job.ts";
import type { ArtifactWriter } from "../core/store.ts";
import { createApp } from "./app.ts";
import type { ApiContext } from "./context.ts";

const cleanups: (() => Promise<void> | void)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup();
});

const serve = (context: ApiContext): number => {
  const app = createApp(context);
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    idleTimeout: 0,
    maxRequestBodySize: 2 ** 40,
    fetch: (request, running) => app.fetch(request, { address: running.requestIP(request)?.address ?? "" }),
  });
  cleanups.push(() => server.stop(true));
  return server.port ?? 0;
};

type Connection = Readonly<{ socket: net.Socket; text: () => string; closed: Promise<void>; opened: Promise<void> }>;

const connect = (port: number): Connection => {
  const socket = net.connect(port, "127.0.0.1");
  let received = "";
  socket.on("data", (data) => {
    received += String(data);
  });
  socket.on("error", () => {});
  cleanups.push(() => void socket.destroy());
  return {
    socket,
    text: () => received,
    opened: new Promise((resolve) => socket.once("connect", () => resolve())),
    closed: new Promise((resolve) => socket.once("close", () => resolve())),
  };
};

const recordWriter = () => {
  const calls = { bytes: 0, finished: 0, aborted: 0 };
  const begin = (): ArtifactWriter => ({
    append: async (chunk) => {
      calls.bytes += chunk.byteLength;
      return ok(undefined);
    },
    finish: async () => {
      calls.finished += 1;
      return ok("art" as ArtifactId);
    },
    abort: async () => {
      calls.aborted += 1;
    },
  });
  return { calls, begin };
};

const serveRecorder = () => {
  const { context } = createHarness();
  const { calls, begin } = recordWriter();
  const store = { ...context.store, artifacts: { ...context.store.artifacts, begin } };
  return { calls, port: serve({ ...context, store }) };
};

test.each([
  ["with a declared size", "Content-Length: 100\r\n\r\nabcdef"],
  ["in chunks", "Transfer-Encoding: chunked\r\n\r\n6\r\nabcdef\r\n"],
])("a client that hangs up in the middle of an upload %s leaves nothing", async (_case, rest) => {
  const { calls, port } = serveRecorder();
  const { socket, opened } = connect(port);
  await opened;
  socket.write(`POST /v1/artifacts HTTP/1.1\r\nHost: localhost\r\n${rest}`);
  await waitUntil(() => calls.bytes === 6);
  socket.destroy();
  await waitUntil(() => calls.aborted === 1);
  expect(calls.finished).toBe(0);
});

test("the store keeps nothing of a half upload, and all of a whole one", async () => {
  const { context, countArtifacts } = createHarness();
  const port = serve(context);
  const { socket, opened } = connect(port);
  await opened;
  socket.write("POST /v1/artifacts HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9000000\r\n\r\n");
  socket.write(Buffer.alloc(2_000_000));
  await waitUntil(() => countArtifacts() === 1);
  socket.destroy();
  await waitUntil(() => countArtifacts() === 0);
  const whole = crypto.getRandomValues(new Uint8Array(60_000));
  const response = await fetch(`http://127.0.0.1:${port}/v1/artifacts`, { method: "POST", body: whole });
  const { data } = (await response.json()) as { data: ArtifactId };
  expect(Buffer.concat([...context.store.artifacts.read(data)])).toEqual(Buffer.from(whole));
});

test("an artifact one byte too large is 400 to a real client", async () => {
  const { calls, port } = serveRecorder();
  const body = new Uint8Array(MAX_ARTIFACT_BYTES + 1);
  const response = await fetch(`http://127.0.0.1:${port}/v1/artifacts`, { method: "POST", body });
  expect([response.status, await response.json()]).toMatchObject([400, { error: "INVALID_REQUEST" }]);
  expect(calls.finished).toBe(0);
});

test("an endless artifact in chunks is 400, and little of it is taken", async () => {
  const { calls, port } = serveRecorder();
  const { socket, opened, text } = connect(port);
  await opened;
  socket.write("POST /v1/artifacts HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n");
  const chunk = Buffer.concat([Buffer.from("100000\r\n"), Buffer.alloc(1 << 20), Buffer.from("\r\n")]);
  for (let index = 0; index < 55 && text() === ""; index += 1) {
    await new Promise((resolve) => socket.write(chunk, resolve));
  }
  await waitUntil(() => text().includes("\r\n\r\n"));
  expect(text()).toStartWith("HTTP/1.1 400");
  expect([calls.finished, calls.aborted]).toEqual([0, 1]);
  expect(calls.bytes).toBeLessThanOrEqual(MAX_ARTIFACT_BYTES);
});

test("a JSON body of more than 8 MiB is 413 to a real client, and the connection goes on", async () => {
  const port = serve(createHarness().context);
  const headers = { "content-type": "application/json" };
  const body = new Uint8Array(8 * 1024 * 1024 + 1).fill(32);
  const response = await fetch(`http://127.0.0.1:${port}/v1/jobs`, { method: "POST", body, headers });
  expect([response.status, await response.json()]).toMatchObject([413, { error: "PAYLOAD_TOO_LARGE" }]);
  const next = await fetch(`http://127.0.0.1:${port}/v1/jobs`);
  expect(next.status).toBe(200);
});

test("a request that names no host is refused", async () => {
  const port = serve(createHarness().context);
  const { socket, opened, text } = connect(port);
  await opened;
  socket.write("GET /v1/health HTTP/1.0\r\n\r\n");
  await waitUntil(() => text().includes("\r\n\r\n"));
  expect(text()).toMatch(/^HTTP\/1\.[01] (400|403)/);
});

test("a request line with another host does not get round the check", async () => {
  const port = serve(createHarness().context);
  const { socket, opened, text } = connect(port);
  await opened;
  socket.write("GET http://localhost/v1/jobs HTTP/1.1\r\nHost: evil.example\r\n\r\n");
  await waitUntil(() => text().includes("\r\n\r\n"));
  expect(text()).toStartWith("HTTP/1.1 403");
});

test("HEAD sends no body, and the connection goes on", async () => {
  const port = serve(createHarness().context);
  const { socket, opened, text } = connect(port);
  await opened;
  const ask = "Host: localhost\r\n\r\n";
  socket.write(`HEAD /v1/health HTTP/1.1\r\n${ask}GET /v1/health HTTP/1.1\r\n${ask}`);
  await waitUntil(() => text().includes('"alive":true'));
  expect(text().match(/HTTP\/1\.1 200/g)).toHaveLength(2);
  expect(text().match(/"alive"/g)).toHaveLength(1);
});

test("a reader of a log that goes away ends the stream", async () => {
  const { context, submit } = createHarness();
  const { id } = await submit();
  let cancelled = false;
  const follow = () =>
    new ReadableStream<Uint8Array>({
      start: (controller) => controller.enqueue(new TextEncoder().encode("first line\n")),
      cancel: () => {
        cancelled = true;
      },
    });
  const port = serve({ ...context, logs: { ...context.logs, follow } });
  const { socket, opened, text } = connect(port);
  await opened;
  socket.write(`GET /v1/jobs/${id}/logs/stream HTTP/1.1\r\nHost: localhost\r\n\r\n`);
  await waitUntil(() => text().includes("first line"));
  expect(text().toLowerCase()).toContain("transfer-encoding: chunked");
  socket.destroy();
  await waitUntil(() => cancelled);
});
