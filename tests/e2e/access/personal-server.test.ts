import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { type ChildProcess, spawn } from "node:child_process";
import {
  closeSync,
  existsSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { type Finished, NEXUS_SERVER, NX, runProgram, SERVER, stopChild } from "../../support/programs.ts";
import { canMakeUsers, makeUser, removeUser, type UnixUser } from "../../support/unix-users.ts";
import { waitUntil } from "../../support/wait.ts";
import { createWorld, type World } from "../../support/world.ts";

type Server = Readonly<{ child: ChildProcess; env: NodeJS.ProcessEnv; dir: string; log: () => string }>;

const PERMISSIONS = 0o777;

let world: World;
const children: ChildProcess[] = [];

beforeEach(async () => {
  world = await createWorld();
});

afterEach(async () => {
  for (const child of children.splice(0)) await stopChild(child, "SIGTERM");
  await world.dispose();
});

const launch = (name: string, settings: NodeJS.ProcessEnv, wrap: readonly string[] = []): Server => {
  const dir = join(world.folder, name);
  const path = join(world.folder, `${name}.log`);
  const { NS_PORT: _port, ...rest } = world.env;
  const env = { ...rest, NS_SERVER_DIR: dir, ...settings };
  const out = openSync(path, "a", 0o600);
  const [program = "", ...args] = [...wrap, ...SERVER];
  const child = spawn(program, args, { env, cwd: world.folder, stdio: ["ignore", out, out] });
  closeSync(out);
  children.push(child);
  return { child, env, dir, log: () => readFileSync(path, "utf8") };
};

const waitForStart = (server: Server): Promise<void> =>
  waitUntil(() => server.log().includes('"msg":"listening"'), "the server listens");

const start = async (name: string, settings: NodeJS.ProcessEnv, wrap: readonly string[] = []): Promise<Server> => {
  const server = launch(name, settings, wrap);
  await waitForStart(server);
  return server;
};

const readStatus = ({ env }: Server): Promise<Finished> =>
  runProgram([NEXUS_SERVER, "status"], { env, cwd: world.folder });

const askSocket = async (socket: string): Promise<number> =>
  (await fetch("http://localhost/v1/jobs", { unix: socket })).status;

describe("the port of a personal server", () => {
  const openNetwork = async (): Promise<(argv: readonly string[]) => readonly string[]> => {
    const up = "ip link set lo up && echo up && exec sleep 600";
    const holder = spawn("unshare", ["--net", "sh", "-c", up], { stdio: ["ignore", "pipe", "ignore"] });
    children.push(holder);
    await new Promise((resolve) => holder.stdout.once("data", resolve));
    return (argv) => ["nsenter", `--net=/proc/${holder.pid}/ns/net`, ...argv];
  };

  test("is 54323 on both addresses of loopback, another where that is taken, and status tells which", async () => {
    const enter = await openNetwork();
    const [first, second] = [await start("first", {}, enter([])), await start("second", {}, enter([]))];
    expect((await readStatus(first)).stdout).toBe(
      [
        `server ${first.child.pid} runs on ${first.dir}`,
        "it listens on http://127.0.0.1:54323",
        "it listens on http://[::1]:54323",
        `it listens on unix://${first.dir}/nexus.sock\n`,
      ].join("\n"),
    );
    const ports = [...(await readStatus(second)).stdout.matchAll(/http:\S+:(\d+)/g)].map(([, port]) => port);
    expect([ports.length, new Set(ports).size, ports.includes("54323")]).toEqual([2, 1, false]);
    for (const [host, { dir }] of [
      ["127.0.0.1:54323", first],
      [`[::1]:${ports[0]}`, second],
    ] as const) {
      const asked = enter(["curl", "-s", `http://${host}/v1/server/status`]);
      expect((await runProgram(asked, { env: world.env, cwd: world.folder })).exitCode).toBe(0);
      expect(await askSocket(join(dir, "nexus.sock"))).toBe(200);
    }
  });

  test("is another too where somebody has it on one of the addresses", async () => {
    const enter = await openNetwork();
    const listen = 'Bun.listen({ hostname: "::1", port: 54323, socket: { data() {} } }); console.log("up")';
    const [program = "", ...args] = enter([process.execPath, "-e", listen]);
    const stranger = spawn(program, args, { stdio: ["ignore", "pipe", "ignore"] });
    children.push(stranger);
    await new Promise((resolve) => stranger.stdout.once("data", resolve));
    const server = await start("third", {}, enter([]));
    const { stdout } = await readStatus(server);
    expect([stdout.includes("54323"), stdout.match(/http:/g)?.length]).toEqual([false, 2]);
  });

  test("that was asked for is that one, or an error that leaves no socket", async () => {
    const port = String(new URL(world.url).port);
    await start("first", { NS_PORT: port });
    const second = launch("second", { NS_PORT: port });
    await waitUntil(() => second.child.exitCode !== null, "it ends");
    expect(second.child.exitCode).toBe(1);
    expect(second.log()).toMatch(/127\.0\.0\.1:\d+ can't be listened on/);
    expect([existsSync(join(second.dir, "nexus.sock")), (await readStatus(second)).exitCode]).toEqual([false, 3]);
  });
});

describe("nexus-server stop", () => {
  test("ends with the server also where its parent never asks what became of it", async () => {
    const { env, dir } = await start("orphaned", { NS_PORT: "0" }, ["sh", "-c", '"$@" & exec sleep 300', "sh"]);
    const stopped = await runProgram([NEXUS_SERVER, "stop"], { env, cwd: world.folder });
    expect([stopped.exitCode, stopped.stderr]).toEqual([0, ""]);
    const again = await runProgram([NEXUS_SERVER, "stop"], { env, cwd: world.folder });
    expect(again.stderr).toBe(`nexus-server: no server runs on ${dir}\n`);
  });

  test("ends no other process that has the number of a server that died", async () => {
    const server = await start("first", { NS_PORT: "0" });
    await stopChild(server.child, "SIGKILL");
    const other = spawn("sleep", ["600"]);
    children.push(other);
    writeFileSync(join(server.dir, "server.pid"), `${other.pid}\n`);
    const stopped = await runProgram([NEXUS_SERVER, "stop"], { env: server.env, cwd: world.folder });
    expect([stopped.exitCode, stopped.stderr]).toEqual([1, `nexus-server: no server runs on ${server.dir}\n`]);
    expect([other.exitCode, other.signalCode, (await readStatus(server)).exitCode]).toEqual([null, null, 3]);
  });
});

describe("the socket of a personal server", () => {
  test("is its user's alone, is taken over from a dead server and goes with it", async () => {
    const first = await start("first", { NS_PORT: "0" });
    const socket = join(first.dir, "nexus.sock");
    expect([statSync(socket).mode & PERMISSIONS, statSync(first.dir).mode & PERMISSIONS]).toEqual([0o600, 0o700]);
    expect(await askSocket(socket)).toBe(200);
    await stopChild(first.child, "SIGKILL");
    const again = await start("first", { NS_PORT: "0" });
    await waitUntil(async () => (await askSocket(socket).catch(() => 0)) === 200, "it answers");
    await stopChild(again.child, "SIGTERM");
    const left = ["nexus.sock", "root.sock", "own.sock", "server.listening"];
    expect(left.filter((name) => existsSync(join(first.dir, name)))).toEqual([]);
  });

  test("has one beside it by which nx comes in", async () => {
    const server = await start("first", { NS_PORT: "0" });
    const { NS_PORT: _any, ...env } = server.env;
    expect(await askSocket(join(server.dir, process.getuid?.() === 0 ? "root.sock" : "own.sock"))).toBe(200);
    renameSync(join(server.dir, "nexus.sock"), join(server.dir, "hidden"));
    const asked = await runProgram([NX, "queue", "--json"], { env, cwd: world.folder });
    expect(asked).toMatchObject({ exitCode: 0, stderr: "" });
    expect(server.child.exitCode).toBeNull();
  });

  test("is in the user's runtime folder where its own path is too long, if that is the user's alone", async () => {
    const runtime = join(world.folder, "runtime");
    mkdirSync(runtime, { mode: 0o700 });
    const long = "l".repeat(90);
    const server = await start(long, { NS_PORT: "0", XDG_RUNTIME_DIR: runtime });
    const [, socket = ""] = /unix:\/\/(\S+)/.exec((await readStatus(server)).stdout) ?? [];
    expect(socket).toMatch(new RegExp(`^${runtime}/nexus-[0-9a-f]{16}\\.sock$`));
    expect(await askSocket(socket)).toBe(200);
    const link = join(world.folder, "link");
    symlinkSync(runtime, link);
    const refused = launch(`${long}2`, { NS_PORT: "0", XDG_RUNTIME_DIR: link });
    await waitUntil(() => refused.child.exitCode !== null, "it ends");
    expect([refused.child.exitCode, refused.log()]).toEqual([
      1,
      expect.stringContaining(`${link}, where the server's socket`),
    ]);
  });
});

describe.skipIf(!canMakeUsers)("a folder in /tmp for a socket", () => {
  let ann: UnixUser;

  beforeEach(() => {
    ann = makeUser(world.folder, "ann");
  });

  afterEach(() => {
    rmSync(`/tmp/nexus-${ann.uid}`, { recursive: true, force: true });
    removeUser(ann);
  });

  const startAsAnn = (): Server => launch(`ann/${"l".repeat(90)}`, { NS_PORT: "0", HOME: ann.home }, ann.as([]));

  test("is made for the user alone", async () => {
    const server = startAsAnn();
    await waitForStart(server);
    const { mode, uid } = lstatSync(`/tmp/nexus-${ann.uid}`);
    expect([mode & PERMISSIONS, uid]).toEqual([0o700, ann.uid]);
  });

  test.each([
    ["belongs to another user", (path: string) => mkdirSync(path, { mode: 0o700 })],
    ["is no folder", (path: string) => symlinkSync(ann.home, path)],
  ])("that %s is refused in one line", async (fault, prepare) => {
    prepare(`/tmp/nexus-${ann.uid}`);
    const server = startAsAnn();
    await waitUntil(() => server.child.exitCode !== null, "it ends");
    const told = server.log().trimEnd().split("\n").at(-1);
    expect([server.child.exitCode, told]).toEqual([1, expect.stringContaining(`/tmp/nexus-${ann.uid}, where`)]);
    expect(told).toContain(fault);
  });
});

describe("a server that other machines reach", () => {
  const OPEN = { NS_PORT: "0", NS_HOST: "0.0.0.0" };
  const readFingerprint = ({ log }: Server): string => /"certificate":"([^"]+)"/.exec(log())?.[1] ?? "";

  test("makes its certificate, keeps it, and speaks TLS", async () => {
    const first = await start("first", OPEN);
    const pair = ["tls.key", "tls.crt"].map((name) => statSync(join(first.dir, name)).mode & PERMISSIONS);
    expect(pair).toEqual([0o600, 0o644]);
    const url = /"url":"([^"]+)"/.exec(first.log())?.[1]?.replace("0.0.0.0", "127.0.0.1") ?? "";
    expect(url).toStartWith("https://");
    expect(
      (await fetch(`${url}/v1/jobs`, { tls: { ca: readFileSync(join(first.dir, "tls.crt"), "utf8") } })).status,
    ).toBe(200);
    const fingerprint = readFingerprint(first);
    await stopChild(first.child, "SIGTERM");
    rmSync(join(world.folder, "first.log"));
    expect(readFingerprint(await start("first", OPEN))).toBe(fingerprint);
  });

  test("speaks plain HTTP only where it is told to, and warns at every start", async () => {
    for (const round of [1, 2]) {
      const server = await start("first", { ...OPEN, NS_INSECURE_HTTP: "true" });
      await waitUntil(() => server.log().match(/"level":40.*insecure_http/g)?.length === round, "it warns");
      expect(server.log()).toContain('"url":"http://0.0.0.0:');
      await stopChild(server.child, "SIGTERM");
    }
  });
});

test("a server that trusts anyone on loopback says so at every start", async () => {
  const server = await start("first", { NS_PORT: "0", NS_TRUST_LOOPBACK: "anyone" });
  await waitUntil(() => /"level":40.*trust_loopback/.test(server.log()), "it warns");
});
