import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { type ChildProcess, spawn } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { WireJob } from "../../../src/wire/job.ts";
import { pickPort } from "../../support/pick-port.ts";
import { type Finished, runProgram, SERVER, stopChild } from "../../support/programs.ts";
import { canMakeUsers, makeUser, removeUser, type UnixUser } from "../../support/unix-users.ts";
import { waitUntil } from "../../support/wait.ts";

type Running = Readonly<{ url: (host: string) => string; socket: string; token: string; child: ChildProcess }>;
type Answer = Readonly<{ status: number; text: string }>;

let folder: string;
const users = new Map<string, UnixUser>();
const servers = new Map<string, Running>();

const own = <Value>(map: ReadonlyMap<string, Value>, name: string): Value => {
  const found = map.get(name);
  if (found === undefined) throw new Error(`there is no ${name}`);
  return found;
};

const runAs = (who: string, argv: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Finished> =>
  who === "root"
    ? runProgram(argv, { env: { PATH: process.env["PATH"], HOME: folder, ...env }, cwd: folder })
    : own(users, who).run(argv, env);

const callThem = (text: string): string =>
  [...users].reduce((told, [nickname, { name }]) => told.replaceAll(name, nickname), text);

const curl = async (who: string, words: readonly string[]): Promise<Answer> => {
  const asked = await runAs(who, ["curl", "-sk", "-m", "10", "-w", "\n%{http_code}", ...words]);
  const [status = "", ...lines] = asked.stdout.split("\n").reverse();
  return { status: Number(status), text: callThem(lines.reverse().join("\n")) };
};

const WAYS: Readonly<Record<string, (server: Running) => readonly string[]>> = {
  socket: ({ socket }) => ["--unix-socket", socket, "http://localhost"],
  "127.0.0.1": ({ url }) => [url("127.0.0.1")],
  "::1": ({ url }) => [url("[::1]")],
  "a token": ({ url, token }) => ["-H", `Authorization: Bearer ${token}`, url("127.0.0.1")],
};

const ask = (who: string, server: string, way: string, path: string, ...more: readonly string[]): Promise<Answer> => {
  const words = WAYS[way]?.(own(servers, server)) ?? [];
  return curl(who, [...words.slice(0, -1), `${words.at(-1)}${path}`, ...more]);
};

const SUBMIT = ["-H", "content-type: application/json", "-d", '{"command":"true","num_gpus":0}'];

const reach = async (who: string, server: string, way: string): Promise<string> => {
  const changed = await ask(who, server, way, "/v1/gpus/1/blacklist", "-X", "PUT");
  if (changed.status === 0) return "no way in";
  if (changed.status === 200) return "admin";
  if (changed.status === 401) return (JSON.parse(changed.text) as { message: string }).message.replace(/:.*/, "");
  const submitted = await ask(who, server, way, "/v1/jobs", ...SUBMIT);
  if (submitted.status !== 201) return (await ask(who, server, way, "/v1/jobs")).status === 200 ? "viewer" : "?";
  return `user ${(JSON.parse(submitted.text) as WireJob).user}`;
};

const start = async (name: string, who: string, settings: NodeJS.ProcessEnv): Promise<void> => {
  const dir = join(folder, who === "root" ? "" : who, name.replaceAll(/\W/g, "-"));
  const port = await pickPort();
  const home = who === "root" ? folder : own(users, who).home;
  const env = { PATH: process.env["PATH"], HOME: home, NS_SERVER_DIR: dir, NS_PORT: String(port), NS_MOCK_GPUS: "2" };
  const argv = who === "root" ? SERVER : own(users, who).as(SERVER);
  const options = { env: { ...env, ...settings }, cwd: folder, stdio: "ignore" } as const;
  const child = spawn(argv[0] ?? "", argv.slice(1), options);
  const socket = settings["NS_SOCKET"] ?? join(dir, "nexus.sock");
  const scheme = settings["NS_HOST"] === undefined ? "http" : "https";
  const url = (host: string): string => `${scheme}://${host}:${port}`;
  const isUp = async () => (await curl("root", [`${url("127.0.0.1")}/v1/health`])).status === 200;
  await waitUntil(isUp, `${name} answers`);
  const added = await runAs(who, [...SERVER, "token", "add", "tess"], { NS_SERVER_DIR: dir });
  servers.set(name, { url, socket, token: added.stdout.trim(), child });
};

const ANNS = "ann's";
const ROOTS = "root's";
const OPEN = "ann's, open to other machines";
const SHARED = "the machine's";

const startAll = async (): Promise<void> => {
  const shared = join(folder, "run");
  mkdirSync(shared);
  const config = join(own(users, "srv").home, "the-machine-s");
  mkdirSync(config, { mode: 0o700 });
  writeFileSync(join(config, "config.toml"), `[users.${own(users, "eve").name}]\nrole = "viewer"\n`);
  for (const path of [shared, config, join(config, "config.toml")])
    await runProgram(["chown", `${own(users, "srv").name}:`, path], { env: process.env, cwd: folder });
  await start(ANNS, "ann", { NS_MAX_CPU_JOBS: "0" });
  await start(ROOTS, "root", { NS_MAX_CPU_JOBS: "0" });
  await start(OPEN, "ann", { NS_MAX_CPU_JOBS: "0", NS_HOST: "0.0.0.0" });
  await start(SHARED, "srv", {
    NS_MAX_CPU_JOBS: "9",
    NS_CPUS: "9",
    NS_HOST: "0.0.0.0",
    NS_SOCKET: join(shared, "nexus.sock"),
  });
};

const tryTo = async (act: () => unknown): Promise<void> => {
  try {
    await act();
  } catch {
    return;
  }
};

describe.skipIf(!canMakeUsers)("the users of one machine, with nothing but curl", () => {
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "nexus-local-users-"));
    chmodSync(folder, 0o755);
    for (const name of ["ann", "bob", "eve"]) users.set(name, makeUser(folder, name));
    for (const name of ["srv", "www"]) users.set(name, makeUser(folder, name, "--system"));
    await startAll();
  });

  afterAll(async () => {
    for (const { child } of servers.values()) await stopChild(child, "SIGTERM");
    for (const user of users.values()) await tryTo(() => removeUser(user));
    rmSync(folder, { recursive: true, force: true });
  });

  const OF_ANN = "This is the Nexus server of ann";
  const OF_ROOT = "This is the Nexus server of the administrator (uid 0)";
  const NO_NAME = "A bearer token is needed";
  const NO_WAY = "no way in";
  const TESS = "user tess";

  const ASKERS = ["root", "srv", "ann", "bob", "eve", "www"];
  const TABLE: readonly (readonly [server: string, way: string, ...as: readonly string[]])[] = [
    [ANNS, "socket", "admin", NO_WAY, "admin", NO_WAY, NO_WAY, NO_WAY],
    [ANNS, "127.0.0.1", "admin", OF_ANN, "admin", OF_ANN, OF_ANN, OF_ANN],
    [ANNS, "::1", "admin", OF_ANN, "admin", OF_ANN, OF_ANN, OF_ANN],
    [ANNS, "a token", TESS, TESS, TESS, TESS, TESS, TESS],
    [ROOTS, "socket", "admin", NO_WAY, NO_WAY, NO_WAY, NO_WAY, NO_WAY],
    [ROOTS, "127.0.0.1", "admin", OF_ROOT, OF_ROOT, OF_ROOT, OF_ROOT, OF_ROOT],
    [ROOTS, "::1", "admin", OF_ROOT, OF_ROOT, OF_ROOT, OF_ROOT, OF_ROOT],
    [ROOTS, "a token", TESS, TESS, TESS, TESS, TESS, TESS],
    [OPEN, "socket", "admin", NO_WAY, "admin", NO_WAY, NO_WAY, NO_WAY],
    [OPEN, "127.0.0.1", "admin", OF_ANN, "admin", OF_ANN, OF_ANN, OF_ANN],
    [OPEN, "::1", "admin", OF_ANN, "admin", OF_ANN, OF_ANN, OF_ANN],
    [OPEN, "a token", TESS, TESS, TESS, TESS, TESS, TESS],
    [SHARED, "socket", "admin", "admin", "user ann", "user bob", "viewer", "user www"],
    [SHARED, "127.0.0.1", "admin", "admin", "user ann", "user bob", "viewer", NO_NAME],
    [SHARED, "::1", "admin", "admin", "user ann", "user bob", "viewer", NO_NAME],
    [SHARED, "a token", TESS, TESS, TESS, TESS, TESS, TESS],
  ];

  test.each(TABLE)("reach %s server by %s as whom the table says", async (server, way, ...expected) => {
    expect(await Promise.all(ASKERS.map((who) => reach(who, server, way)))).toEqual(expected);
  });

  test("are told whose server it is, in one line", async () => {
    const { text } = await ask("bob", ANNS, "127.0.0.1", "/v1/jobs", ...SUBMIT);
    expect(JSON.parse(text)).toMatchObject({
      error: "AUTHENTICATION_REQUIRED",
      message: "This is the Nexus server of ann: bob needs a token of it",
    });
  });

  test("are nobody by an address of loopback that the server has no listener of its own for", async () => {
    const { url } = own(servers, SHARED);
    expect((await curl("root", [`${url("127.0.0.2")}/v1/jobs`])).status).toBe(401);
  });

  const UPGRADE = ["Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13"];
  const KEY = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==";

  const attach = async (who: string, way: string, id: string, query = ""): Promise<number> => {
    const headers = [...UPGRADE, KEY].flatMap((header) => ["-H", header]);
    const asked = await ask(who, SHARED, way, `/v1/jobs/${id}/attach${query}`, ...headers, "--http1.1", "-m", "1");
    return asked.status;
  };

  test("attach as who they were at the upgrade: to their own jobs, and to others' to look", async () => {
    const long = SUBMIT.with(-1, '{"command":"sleep 600","num_gpus":0}');
    const { id } = JSON.parse((await ask("ann", SHARED, "::1", "/v1/jobs", ...long)).text) as WireJob;
    const read = async () => JSON.parse((await ask("bob", SHARED, "socket", `/v1/jobs/${id}`)).text) as WireJob;
    await waitUntil(async () => (await read()).status === "running", "it runs");
    for (const way of ["socket", "127.0.0.1"]) {
      expect([await attach("ann", way, id), await attach("bob", way, id)]).toEqual([101, 403]);
      expect([await attach("bob", way, id, "?read_only=true"), await attach("eve", way, id)]).toEqual([101, 403]);
    }
    expect((await ask("bob", SHARED, "::1", `/v1/jobs/${id}/kill`, "-X", "POST")).status).toBe(403);
    expect((await ask("ann", SHARED, "::1", `/v1/jobs/${id}/kill`, "-X", "POST")).status).toBe(204);
    await waitUntil(async () => (await read()).status === "killed", "it is killed");
  });
});
