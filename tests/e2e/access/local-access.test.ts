import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { chmodSync, chownSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { WireJob } from "../../../src/wire/job.ts";
import { ECHOING_JOB } from "../../support/echoing-job.ts";
import { type Finished, NEXUS_SERVER, NX, runProgram } from "../../support/programs.ts";
import { openTmux, type TmuxTerminal } from "../../support/tmux-terminal.ts";
import { waitUntil } from "../../support/wait.ts";
import { createWorld, type World } from "../../support/world.ts";

const DAEMON = 1;
const REFUSED = 4;

let world: World;
const terminals: TmuxTerminal[] = [];

beforeEach(async () => {
  world = await createWorld();
});

afterEach(async () => {
  for (const terminal of terminals.splice(0)) terminal.close();
  await world.dispose();
});

const writeConfig = (text: string): void => {
  mkdirSync(join(world.home, ".nexus"), { recursive: true, mode: 0o700 });
  writeFileSync(join(world.home, ".nexus", "config.toml"), text, { mode: 0o600 });
};

const addToken = async (...words: readonly string[]): Promise<string> =>
  (await runProgram([NEXUS_SERVER, "token", "add", ...words], { env: world.env, cwd: world.home })).stdout.trim();

describe("a server that trusts no loopback", () => {
  const nxByPort = (words: readonly string[]): Promise<Finished> =>
    runProgram([NX, ...words], { env: { ...world.env, NEXUS_SOCKET: "" }, cwd: world.home });

  test("has nx say what to do, and takes the token of [targets.local]", async () => {
    await world.startServer({ NS_TRUST_LOOPBACK: "false" });
    const refused = await nxByPort(["queue"]);
    expect([refused.exitCode, refused.stdout]).toEqual([REFUSED, ""]);
    expect(refused.stderr).toContain("NEXUS_SOCKET");
    expect(refused.stderr).toContain("[targets.local]");
    writeConfig(`[targets.local]\napi_token = "${await addToken("tester")}"\n`);
    expect((await nxByPort(["add", "-c", "--no-git", "-q", "true"])).exitCode).toBe(0);
    expect((await nxByPort(["target", "list", "-q"])).stdout).toBe("local\n");
    writeConfig(`user = "bob"\n[targets.local]\napi_token = "${await addToken("ann")}"\n`);
    const renamed = await nxByPort(["add", "-c", "--no-git", "true"]);
    expect([renamed.exitCode, renamed.stdout]).toEqual([REFUSED, ""]);
    expect(renamed.stderr).toContain(`ann can't submit as "bob"`);
    expect(renamed.stderr).toContain("NEXUS_USER");
  });
});

describe("a server with a socket", () => {
  const startWithSocket = async (): Promise<NodeJS.ProcessEnv> => {
    const socket = join(world.folder, "nexus.sock");
    chmodSync(world.folder, 0o711);
    await world.startServer({ NS_TRUST_LOOPBACK: "false", NS_SOCKET: socket, NS_MAX_CPU_JOBS: "8" });
    return { ...world.env, NEXUS_SOCKET: socket };
  };

  const becomeDaemon = (env: NodeJS.ProcessEnv): Readonly<{ argv: readonly string[]; env: NodeJS.ProcessEnv }> => {
    const home = join(world.folder, "daemon");
    mkdirSync(home);
    chownSync(home, DAEMON, DAEMON);
    const ids = ["--reuid", String(DAEMON), "--regid", String(DAEMON), "--clear-groups"];
    return { argv: ["setpriv", ...ids, NX], env: { ...env, HOME: home, USER: "daemon" } };
  };

  const readJob = async (env: NodeJS.ProcessEnv, id: string): Promise<WireJob> =>
    JSON.parse((await runProgram([NX, "get", id, "--json"], { env, cwd: world.home })).stdout) as WireJob;

  const start = async (
    run: (words: readonly string[]) => Promise<Finished>,
    env: NodeJS.ProcessEnv,
    command: string,
  ) => {
    const added = await run(["add", "-c", "--no-git", "-q", command]);
    expect(added.stderr).toBe("");
    const id = added.stdout.trim();
    await waitUntil(async () => (await readJob(env, id)).status === "running", `job ${id} runs`);
    return id;
  };

  test("knows each local user by name, who manage their own jobs, and root all", async () => {
    const env = await startWithSocket();
    const daemon = becomeDaemon(env);
    const asRoot = (words: readonly string[]) => runProgram([NX, ...words], { env, cwd: world.home });
    const asDaemon = (words: readonly string[]) =>
      runProgram([...daemon.argv, ...words], { env: daemon.env, cwd: daemon.env["HOME"] ?? "" });
    const [theirs, own, other] = [
      await start(asRoot, env, "sleep 300"),
      await start(asDaemon, env, "sleep 300"),
      await start(asDaemon, env, "sleep 301"),
    ];
    expect((await readJob(env, own)).user).toBe("daemon");
    const refused = await asDaemon(["kill", "-y", theirs]);
    expect([refused.exitCode, refused.stderr]).toEqual([REFUSED, expect.stringContaining("daemon can't change it")]);
    expect((await asDaemon(["blacklist", "add", "0"])).exitCode).toBe(REFUSED);
    expect((await asDaemon(["kill", "-y", own])).exitCode).toBe(0);
    expect((await asRoot(["kill", "-y", other])).exitCode).toBe(0);
    expect((await asDaemon(["target", "list"])).stdout).toContain(`unix://${env["NEXUS_SOCKET"]}`);
  });

  test("shows a terminal to its user, to others only with --watch", async () => {
    const env = await startWithSocket();
    const daemon = becomeDaemon(env);
    const asRoot = (words: readonly string[]) => runProgram([NX, ...words], { env, cwd: world.home });
    const id = await start(asRoot, env, ECHOING_JOB);
    const open = async (program: readonly string[], settings: NodeJS.ProcessEnv) => {
      const terminal = await openTmux({ env: settings, cwd: world.folder, program });
      terminals.push(terminal);
      return terminal;
    };
    const refused = await open(["sh", "-c", `${daemon.argv.join(" ")} attach ${id}; sleep 100`], daemon.env);
    await refused.waitFor("can't type");
    const watching = await open(["sh", "-c", `${daemon.argv.join(" ")} attach --watch ${id}; sleep 100`], daemon.env);
    const typing = await open(["sh", "-c", `${NX} attach ${id}; sleep 100`], env);
    for (const terminal of [watching, typing]) await terminal.waitFor("now ");
    typing.type("hello");
    typing.press("Enter");
    await typing.waitFor("got hello");
    await watching.waitFor("got hello");
  });

  test("leaves none behind when its port is taken", async () => {
    const env = await startWithSocket();
    const socket = join(world.folder, "second.sock");
    const settings = { ...env, NS_SERVER_DIR: join(world.folder, "second"), NS_SOCKET: socket };
    const refused = await runProgram([NEXUS_SERVER], { env: settings, cwd: world.home });
    expect([refused.exitCode, refused.stderr]).toEqual([1, expect.stringContaining("can't be listened on")]);
    expect(existsSync(socket)).toBe(false);
  });

  test("that does not answer is told as such, and no other is started", async () => {
    const env = { ...world.env, NEXUS_SOCKET: join(world.folder, "none.sock") };
    const missed = await runProgram([NX, "queue"], { env, cwd: world.home });
    expect([missed.exitCode, missed.stdout]).toEqual([3, ""]);
    expect(missed.stderr).toContain(`at ${env.NEXUS_SOCKET} can't be reached: nothing listens there`);
  });
});
