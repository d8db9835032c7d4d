import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createPipedNx } from "../../support/piped-nx.ts";

let folder: string;
let home: string;
let asked: string[];
let cleanUps: (() => unknown)[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "nexus-personal-"));
  home = join(folder, "home");
  mkdirSync(home);
  asked = [];
  cleanUps = [];
});

afterEach(() => {
  for (const cleanUp of cleanUps) cleanUp();
  rmSync(folder, { recursive: true, force: true });
});

const nx = createPipedNx(() => home);

const serve = (name: string, place: object): number => {
  const fetch = (): Response => {
    asked.push(name);
    return Response.json([]);
  };
  const server = Bun.serve({ ...place, fetch });
  cleanUps.push(() => server.stop(true));
  return server.port ?? 0;
};

const servePort = (name: string): string => String(serve(name, { hostname: "127.0.0.1", port: 0 }));

const serveSocket = (name: string, serverDir: string): void => {
  mkdirSync(serverDir, { recursive: true, mode: 0o700 });
  serve(name, { unix: join(serverDir, "nexus.sock") });
};

const locateUsual = (): string => join(home, ".local", "state", "nexus-server");

test("local is the socket of one's own server, whatever listens on the port", async () => {
  serveSocket("own", locateUsual());
  const NS_PORT = servePort("port");
  for (const more of [{}, { NS_PORT }]) expect((await nx(["queue"], "", more)).exitCode).toBe(0);
  expect(asked).toEqual(["own", "own"]);
  const listed = await nx(["target", "list"]);
  expect(listed.stdout).toContain(`unix://${join(locateUsual(), "nexus.sock")}`);
});

test("NS_SERVER_DIR, XDG_STATE_HOME and NEXUS_SOCKET lead to others", async () => {
  const [dir, state, named] = ["dir", "state", "named"].map((name) => join(folder, name));
  serveSocket("usual", locateUsual());
  serveSocket("NS_SERVER_DIR", dir ?? "");
  serveSocket("XDG_STATE_HOME", join(state ?? "", "nexus-server"));
  serveSocket("NEXUS_SOCKET", named ?? "");
  await nx(["queue"], "", { NS_SERVER_DIR: dir });
  await nx(["queue"], "", { NS_SERVER_DIR: "../dir" });
  await nx(["queue"], "", { XDG_STATE_HOME: state });
  await nx(["queue"], "", { NS_SERVER_DIR: dir, NEXUS_SOCKET: `${named}/nexus.sock` });
  expect(asked).toEqual(["NS_SERVER_DIR", "NS_SERVER_DIR", "XDG_STATE_HOME", "NEXUS_SOCKET"]);
});

test("a server of before, which has no socket, is reached by NS_PORT alone", async () => {
  const NS_PORT = servePort("before");
  expect((await nx(["queue"], "", { NS_PORT })).exitCode).toBe(0);
  expect(asked).toEqual(["before"]);
  const listed = await nx(["target", "list"], "", { NS_PORT });
  expect(listed.stdout).toContain(`http://127.0.0.1:${NS_PORT}`);
  const missed = await nx(["queue"]);
  expect([missed.exitCode, missed.stderr]).toEqual([3, expect.stringContaining(join(locateUsual(), "nexus.sock"))]);
});

test("a socket whose server has died, and a file in its place, are told as no server", async () => {
  mkdirSync(locateUsual(), { recursive: true });
  const path = join(locateUsual(), "nexus.sock");
  const listener = Bun.spawnSync([
    process.execPath,
    "-e",
    `Bun.listen({ unix: ${JSON.stringify(path)}, socket: { data() {} } }); process.kill(process.pid, "SIGKILL")`,
  ]);
  expect(listener.signalCode).toBe("SIGKILL");
  const dead = await nx(["queue"]);
  expect([dead.exitCode, dead.stderr]).toEqual([3, expect.stringContaining("nothing listens there")]);
  rmSync(path);
  writeFileSync(path, "");
  const file = await nx(["queue"]);
  expect([file.exitCode, file.stderr]).toEqual([3, expect.stringContaining("nothing listens there")]);
});

test("a path that is too long for a socket is no obstacle", async () => {
  const runtime = join(folder, "runtime");
  mkdirSync(runtime, { mode: 0o700 });
  const more = { NS_SERVER_DIR: join(folder, "x".repeat(120)), XDG_RUNTIME_DIR: runtime };
  const path = /unix:\/\/(\S+)/.exec((await nx(["target", "list"], "", more)).stdout)?.[1] ?? "";
  expect(path).toStartWith(`${runtime}/nexus-`);
  serve("runtime", { unix: path });
  expect((await nx(["queue"], "", more)).exitCode).toBe(0);
  expect(asked).toEqual(["runtime"]);
});
