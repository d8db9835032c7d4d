import { afterEach, beforeEach, expect, test } from "bun:test";
import { createHash, randomBytes } from "node:crypto";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { waitUntil } from "../../../tests/support/wait.ts";
import { dial, type GuardedLine } from "./dial.ts";

const OWN = [process.getuid?.() ?? 0];
const BIG = 40_000_000;
const LOOKS_AT_REST = 15;

let runtime: string;
let runtimeBefore: string | undefined;
let cleanUps: (() => unknown)[];

beforeEach(() => {
  runtime = mkdtempSync(join(tmpdir(), "nexus-dial-"));
  runtimeBefore = process.env["XDG_RUNTIME_DIR"];
  process.env["XDG_RUNTIME_DIR"] = runtime;
  cleanUps = [];
});

afterEach(() => {
  for (const cleanUp of cleanUps) cleanUp();
  if (runtimeBefore === undefined) delete process.env["XDG_RUNTIME_DIR"];
  else process.env["XDG_RUNTIME_DIR"] = runtimeBefore;
  rmSync(runtime, { recursive: true, force: true });
});

const digest = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

const serve = (fetch: (request: Request) => Promise<Response> | Response): number => {
  const server = Bun.serve({ hostname: "127.0.0.1", port: 0, maxRequestBodySize: 2 * BIG, fetch });
  cleanUps.push(() => server.stop(true));
  return server.port ?? 0;
};

const open = async (port: number): Promise<GuardedLine> => {
  const line = await dial({ hostname: "127.0.0.1", port }, OWN);
  if (!line.ok) throw new Error(line.error.kind);
  return line.value;
};

const ask = async (port: number, init: RequestInit = {}): Promise<Response> => {
  const { path, close } = await open(port);
  try {
    const way: object = { unix: path, keepalive: false };
    return await fetch("http://127.0.0.1/", { ...init, ...way });
  } finally {
    close();
  }
};

test("what is sent and what comes back arrive whole, and nothing is left where they passed", async () => {
  const sent = randomBytes(BIG);
  const port = serve(async (request) => new Response(digest(await request.bytes())));
  expect(await (await ask(port, { method: "POST", body: sent })).text()).toBe(digest(sent));
  const back = serve(() => new Response(sent));
  const read = createHash("sha256");
  for await (const piece of (await ask(back)).body ?? []) {
    read.update(piece);
    if (piece.length % 7 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  expect(read.digest("hex")).toBe(digest(sent));
  expect(readdirSync(runtime)).toEqual([]);
});

test("a reader that stops holds the sender back, and going away ends the far side", async () => {
  let pulled = 0;
  let isCancelled = false;
  const endless = (): ReadableStream<Uint8Array> =>
    new ReadableStream({
      pull: (controller) => {
        pulled += 1;
        controller.enqueue(new Uint8Array(1_000_000));
      },
      cancel: () => {
        isCancelled = true;
      },
    });
  const controller = new AbortController();
  const response = await ask(
    serve(() => new Response(endless())),
    { signal: controller.signal },
  );
  expect(response.ok).toBe(true);
  let [before, same] = [-1, 0];
  await waitUntil(() => {
    same = before === pulled ? same + 1 : 0;
    before = pulled;
    return same > LOOKS_AT_REST;
  }, "the sender rests");
  expect(pulled).toBeLessThan(200);
  controller.abort();
  await waitUntil(() => isCancelled, "the far side ends");
});

test("a line that is not used leaves nothing, and closing it again is harmless", async () => {
  const { close } = await open(serve(() => new Response("")));
  expect(readdirSync(runtime)).toHaveLength(1);
  for (let round = 0; round < 2; round += 1) close();
  expect(readdirSync(runtime)).toEqual([]);
});

test("a server that goes away before it is known who it is counts as gone", async () => {
  const server = createServer((socket) => socket.resetAndDestroy()).listen(0, "127.0.0.1");
  cleanUps.push(() => server.close());
  await waitUntil(() => server.listening, "it listens");
  const address = server.address();
  const port = typeof address === "object" ? (address?.port ?? 0) : 0;
  const asked = ask(port).then(
    () => "answered",
    (error: unknown) => String(error),
  );
  expect(await asked).not.toBe("answered");
});

test("where nobody listens it throws as fetch does", async () => {
  const port = serve(() => new Response(""));
  for (const cleanUp of cleanUps.splice(0)) await cleanUp();
  expect(dial({ hostname: "127.0.0.1", port }, OWN)).rejects.toMatchObject({ code: "ECONNREFUSED" });
});
