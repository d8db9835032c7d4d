import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import type { WireJob } from "../../../src/wire/job.ts";
import { type Finished, runProgram, SERVER } from "../../support/programs.ts";
import { canRunSshd, makeKey } from "../../support/ssh-server.ts";
import { type Sshd, startSshd } from "../../support/sshd.ts";
import { openTmux, type TmuxTerminal } from "../../support/tmux-terminal.ts";
import { waitUntil } from "../../support/wait.ts";
import { createWorld, type World } from "../../support/world.ts";

const ECHO = "while read -r line; do echo got $line; done";

let world: World;
let sshd: Sshd;
let key: string;
let cleanUps: (() => unknown)[];

const authorizedKeys = (): string => join(world.home, ".ssh", "authorized_keys");

const register = (path: string, headers: Readonly<Record<string, string>> = {}): Promise<Response> =>
  fetch(`${world.url}/v1/auth/ssh-key`, { method: "POST", headers, body: readFileSync(`${path}.pub`, "utf8") });

beforeEach(async () => {
  if (!canRunSshd) return;
  world = await createWorld();
  cleanUps = [() => world.dispose()];
  key = makeKey(join(world.folder, "id_ed25519"));
  sshd = await startSshd(world.folder, authorizedKeys());
  cleanUps.push(sshd.stop);
  await world.startServer();
  expect(await (await register(key)).json()).toEqual({ status: "registered" });
});

afterEach(async () => {
  for (const cleanUp of cleanUps.toReversed()) await cleanUp();
});

const startJob = async (command: string): Promise<WireJob> => {
  const { id } = await world.submit({ command, num_gpus: 0 });
  await waitUntil(async () => (await world.job(id)).pid !== null, "its session is known");
  return world.job(id);
};

const ssh = (words: readonly string[], ...options: readonly string[]): Promise<Finished> =>
  runProgram([...sshd.words(key, ...options), ...words], { env: world.env, cwd: world.home });

const openSsh = async (...words: readonly string[]): Promise<TmuxTerminal> => {
  const terminal = await openTmux({ env: { ...world.env, TERM: "xterm-256color" }, cwd: world.home });
  cleanUps.push(terminal.close);
  terminal.type(`${sshd.words(key, "-t").join(" ")} '${words.join(" ")}'; echo code $?`);
  terminal.press("Enter");
  return terminal;
};

const countChildren = ({ pid }: WireJob): number =>
  readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ").length;

const enter = (terminal: TmuxTerminal, line: string): void => {
  terminal.type(line);
  terminal.press("Enter");
};

describe.skipIf(!canRunSshd)("a registered key over a real sshd", () => {
  test("opens a running job's terminal, in which one can type; Ctrl-A D leaves it and the job goes on", async () => {
    const job = await startJob(`echo hello; ${ECHO}`);
    const terminal = await openSsh("attach", job.id);
    await terminal.waitFor("hello");
    enter(terminal, "words");
    await terminal.waitFor("got words");
    terminal.press("C-a", "d");
    await terminal.waitFor("code 0");
    expect((await world.job(job.id)).status).toBe("running");
    const again = await openSsh("screen", "-r", `nexus_job_${job.id}`);
    await again.waitFor("got words");
    await world.post(`/v1/jobs/${job.id}/kill`, {});
    await again.waitFor(/code \d/);
  });

  test("does not get out of the terminal by keys of screen, also where an older server or a job left them", async () => {
    const job = await startJob(`echo hello; ${ECHO}`);
    for (const bound of ["c screen", "k kill", "x lockscreen"])
      execFileSync("screen", ["-S", `${job.pid}.nexus_job_${job.id}`, "-X", "bind", ...bound.split(" ")]);
    const terminal = await openSsh("attach", job.id);
    await terminal.waitFor("hello");
    for (const pressed of ["c", "C-c", ":", "!", "k", "\\", "x", "z", "H", "h", "M", ".", "w", '"', "|", "S", "Q", "D"])
      terminal.press("C-a", pressed);
    enter(terminal, "screen");
    await terminal.waitFor("got screen");
    terminal.press("C-a", "[", "Space", ">");
    enter(terminal, "alive");
    await terminal.waitFor("got alive");
    expect(countChildren(job)).toBe(1);
    expect((await world.job(job.id)).status).toBe("running");
    expect(existsSync(join(job.dir ?? "", "screenlog.0"))).toBe(false);
  });

  test("opens no shell and runs, copies and forwards nothing", async () => {
    const job = await startJob(ECHO);
    const mark = join(world.folder, "mark");
    const env = { env: world.env, cwd: world.home };
    for (const words of [[], [`touch ${mark}`], ["bash", "-i"], [`attach ${job.id}; touch ${mark}`]])
      expect(await ssh(words)).toMatchObject({
        exitCode: 1,
        stdout: "",
        stderr: expect.stringMatching(
          /^nexus-server: this key opens a running job's terminal and nothing else[^\n]*\n$/,
        ),
      });
    const options = sshd.words(key).slice(1, -3);
    const address = sshd.words(key).at(-1);
    const scp = ["scp", ...options, "-P", String(sshd.port), `${key}.pub`, `${address}:${mark}`];
    expect((await runProgram(scp, env)).exitCode).not.toBe(0);
    expect((await runProgram(["scp", "-O", ...scp.slice(1)], env)).exitCode).not.toBe(0);
    const sftp = ["sftp", ...options, "-P", String(sshd.port), `${address}`];
    expect((await runProgram(sftp, env)).exitCode).not.toBe(0);
    expect(existsSync(mark)).toBe(false);
  });

  test("forwards no port, socket, agent or display", async () => {
    const port = new URL(world.url).port;
    const through = await ssh([], "-o", "LogLevel=INFO", "-W", `127.0.0.1:${port}`);
    expect([through.exitCode, through.stdout, through.stderr]).toEqual([
      255,
      "",
      expect.stringContaining("administratively prohibited"),
    ]);
    const back = await ssh(["-N"], "-o", "ExitOnForwardFailure=yes", "-R", "127.0.0.1:0:127.0.0.1:1");
    expect([back.exitCode, back.stderr]).toEqual([255, expect.stringContaining("remote port forwarding failed")]);
    const told = await ssh(["true"], "-v", "-A", "-o", "LogLevel=DEBUG1");
    const granted = told.stderr.match(/key options: .*/g)?.map((line) => line.trim());
    expect(new Set(granted)).toEqual(new Set(["key options: command pty"]));
  });

  test("says in one line what it can't show", async () => {
    const job = await startJob(ECHO);
    const queued = await world.submit({ command: "true", num_gpus: 0 });
    await world.waitFor(queued.id);
    expect((await ssh(["attach", "nosuch"])).stderr).toBe("nexus-server: there is no job nosuch\n");
    expect((await ssh(["attach", queued.id])).stderr).toMatch(/^nexus-server: job \w+ is completed: [^\n]*\n$/);
    const piped = await ssh(["attach", job.id]);
    expect([piped.exitCode, piped.stdout, piped.stderr]).toEqual([
      1,
      "",
      "nexus-server: a job's terminal needs one here: ssh -t\n",
    ]);
  });

  test("that was registered with a user's token attaches to that user's jobs alone", async () => {
    const path = makeKey(join(world.folder, "ann"));
    const made = await runProgram([...SERVER, "token", "add", "ann"], { env: world.env, cwd: world.home });
    const registered = await register(path, { authorization: `Bearer ${made.stdout.trim()}` });
    expect(await registered.json()).toEqual({ status: "registered" });
    const [others, own] = [await startJob(ECHO), await world.submit({ command: ECHO, num_gpus: 0, user: "ann" })];
    await waitUntil(async () => (await world.job(own.id)).pid !== null, "its session is known");
    const attach = async ({ id }: WireJob): Promise<string> =>
      (await runProgram([...sshd.words(path), "attach", id], { env: world.env, cwd: world.home })).stderr;
    expect(await attach(others)).toBe(
      `nexus-server: job ${others.id} is of "tester": this key attaches to jobs of "ann"\n`,
    );
    expect(await attach(own)).toBe("nexus-server: a job's terminal needs one here: ssh -t\n");
  });

  test("is registered once, in a private file, whatever its type", async () => {
    const keys = ["rsa", "ecdsa"].map((type) => makeKey(join(world.folder, type), "", type));
    for (const path of keys) expect((await register(path)).status).toBe(200);
    expect(await (await register(key)).json()).toEqual({ status: "exists" });
    expect(readFileSync(authorizedKeys(), "utf8").trim().split("\n")).toHaveLength(3);
    expect([statSync(authorizedKeys()).mode & 0o777, statSync(join(world.home, ".ssh")).mode & 0o777]).toEqual([
      0o600, 0o700,
    ]);
    for (const path of keys) {
      const refused = await runProgram([...sshd.words(path), "sh"], { env: world.env, cwd: world.home });
      expect(refused.stderr).toContain("this key opens a running job's terminal");
    }
  });
});
