import { afterEach, beforeEach, expect, test } from "bun:test";
import { spawn } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createFetch } from "../http/http-requests.ts";
import { createWebSockets } from "../http/web-sockets.ts";
import { type LocalUsers, serveLocalUsers } from "./local-users.ts";

const DAEMON = 1;
const NAMELESS = 4_000_000;
const OVERFLOW = 65_534;
const BIG = 5_000_000;

let folder: string;
let path: string;
let opened: LocalUsers | null = null;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "nexus-users-"));
  chmodSync(folder, 0o755);
  mkdirSync(join(folder, "state"));
  path = join(folder, "nexus.sock");
});

afterEach(async () => {
  await opened?.close();
  opened = null;
  rmSync(folder, { recursive: true, force: true });
});

const unixOnly = (unix: string): object => ({ unix });

const open = async (options: { path?: string; serverDir?: string } = {}): Promise<string> => {
  const users = await serveLocalUsers({
    path,
    serverDir: join(folder, "state"),
    serve: (unix, localUser) =>
      Bun.serve({
        ...unixOnly(unix),
        maxRequestBodySize: 2 ** 30,
        websocket: createWebSockets(),
        fetch: createFetch(
          async (request, peer) => {
            const { byteLength } = await request.arrayBuffer();
            return Response.json([peer.localUser, peer.address, byteLength, request.headers.get("x-nexus-user")]);
          },
          { idleTimeoutS: 10, localUser },
        ),
      }),
    ...options,
  });
  if (users.ok) opened = users.value;
  return users.ok ? "open" : users.error.message;
};

const ASK = `
const [unix, bytes] = process.argv.slice(-2);
const headers = { "x-nexus-user": "root", "x-forwarded-for": "127.0.0.1" };
const response = await fetch("http://localhost/", { unix, method: "POST", body: new Uint8Array(Number(bytes)), headers });
process.stdout.write(response.status + " " + (await response.text()));
`;

const askAs = (uid: number, bytes = 3): Promise<string> => {
  const script = join(folder, "ask.js");
  writeFileSync(script, ASK);
  const { promise, resolve } = Promise.withResolvers<string>();
  const bun = [process.execPath, "--no-install", script, path, String(bytes)];
  const argv = ["--reuid", String(uid), "--regid", String(uid), "--clear-groups", ...bun];
  const child = spawn("setpriv", argv, { cwd: folder, env: { HOME: folder }, stdio: ["ignore", "pipe", "pipe"] });
  let text = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (data) => (text += String(data)));
  child.on("close", () => resolve(text));
  return promise;
};

test("each user of the machine is who the kernel says, whatever the request says", async () => {
  expect(await open()).toBe("open");
  const [root, daemon] = await Promise.all([askAs(0), askAs(DAEMON)]);
  expect(root).toBe(`200 ${JSON.stringify([{ user: "root", isOwner: true }, "socket:root", 3, "root"])}`);
  expect(daemon).toBe(`200 ${JSON.stringify([{ user: "daemon", isOwner: false }, "socket:daemon", 3, "root"])}`);
});

test("many at once stay apart, and large bodies arrive whole", async () => {
  expect(await open()).toBe("open");
  const uids = [0, DAEMON, 0, DAEMON, 0, DAEMON];
  const answers = await Promise.all(uids.map((uid) => askAs(uid, BIG + uid)));
  expect(answers.map((text) => text.slice(4))).toEqual(
    uids.map((uid) => {
      const user = uid === 0 ? "root" : "daemon";
      return JSON.stringify([{ user, isOwner: uid === 0 }, `socket:${user}`, BIG + uid, "root"]);
    }),
  );
});

test.each([
  ["without a name", NAMELESS],
  ["of another namespace", OVERFLOW],
])("a user %s is refused", async (_what, uid) => {
  expect(await open()).toBe("open");
  expect(await askAs(uid)).toStartWith('403 {"error":"FORBIDDEN"');
});

test("the sockets behind are for the server alone, and gone with it", async () => {
  expect(await open()).toBe("open");
  await askAs(DAEMON);
  const inner = join(folder, "state", "sockets");
  expect([statSync(inner).mode & 0o777, readdirSync(inner)]).toEqual([0o700, ["1.sock"]]);
  expect(statSync(path).mode & 0o777).toBe(0o666);
  await opened?.close();
  opened = null;
  expect([existsSync(inner), existsSync(path)]).toEqual([false, false]);
});

test("what a dead server left is taken over, what a live one has is not", async () => {
  const dead = spawn(process.execPath, [
    "-e",
    `require("net").createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, "SIGKILL"))`,
  ]);
  await new Promise((resolve) => dead.once("exit", resolve));
  expect(existsSync(path)).toBe(true);
  expect(await open()).toBe("open");
  const first = opened;
  expect(await open({ serverDir: join(folder, "other") })).toContain("can't be made");
  mkdirSync(join(folder, "other"));
  expect(await open({ serverDir: join(folder, "other") })).toBe(
    `${path} can't be listened on: a server has it already`,
  );
  opened = first;
  expect(await askAs(DAEMON)).toStartWith("200");
});

test("a file that is no socket is left as it is, and a path too long is refused", async () => {
  writeFileSync(path, "precious");
  expect(await open()).toContain("can't be listened on");
  expect(await Bun.file(path).text()).toBe("precious");
  const long = join(folder, "x".repeat(100));
  mkdirSync(long);
  expect(await open({ serverDir: long })).toContain("too long");
});

test("a connection that says nothing, or ends half-way, harms nobody", async () => {
  expect(await open()).toBe("open");
  const held = Array.from({ length: 20 }, () => Bun.connect({ unix: path, socket: { data: () => undefined } }));
  const sockets = await Promise.all(held);
  for (const socket of sockets.slice(0, 10))
    socket.write("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nhalf");
  expect(await askAs(DAEMON)).toStartWith("200");
  for (const socket of sockets) socket.terminate();
  expect(await askAs(DAEMON)).toStartWith("200");
});
