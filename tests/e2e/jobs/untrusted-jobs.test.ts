import { afterAll, beforeAll, expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { checkAbility } from "../../support/ability.ts";
import { runProgram, SERVER } from "../../support/programs.ts";
import { createWorld, type World } from "../../support/world.ts";

let world: World;
let server: number;

beforeAll(async () => {
  world = await createWorld();
  server = (await world.startServer({ NS_API_TOKEN: "the-token-of-the-server" })).pid ?? 0;
});

afterAll(() => world.dispose());

const readLog = (id: string): string => readFileSync(join(world.folder, "server", "jobs", id, "output.log"), "latin1");

const HOSTILE = {
  LD_PRELOAD: "/nowhere.so",
  LD_LIBRARY_PATH: "/nowhere",
  BASH_ENV: "/nowhere",
  ENV: "/nowhere",
  PATH: "/nowhere",
  IFS: "xe",
  PROMPT_COMMAND: "exit 3",
  PS4: "$(exit 3)",
  SHELLOPTS: "noexec",
  BASHOPTS: "extdebug",
  POSIXLY_CORRECT: "1",
  TMPDIR: "/nowhere",
  SCREENDIR: "/nowhere",
  HOME: "/nowhere",
  NEXUS_JOB_ID: "another",
  NEXUS_PASS_A: "passed",
  NS_API_TOKEN: "mine",
  CUDA_VISIBLE_DEVICES: "7",
  LANG: "zz_ZZ",
  TERM: "$(exit 3)",
  terminated: "1",
  reason: "x",
};

test("no variable of a job keeps it from running, being recorded and being found", async () => {
  const command = '/bin/echo "[$NEXUS_PASS_A $NS_API_TOKEN $NEXUS_JOB_ID $PATH]"; exit 7';
  const { id } = await world.submit({ command, num_gpus: 0, env: HOSTILE, jobrc: "x=1" });
  expect(await world.waitFor(id)).toMatchObject({ status: "failed", exit_code: 7 });
  expect(readLog(id)).toContain(`[passed mine ${id} /nowhere]`);
});

test.each(["BASH_FUNC_echo%%", "A=B", "", "1A", "A\nB", "A B"])("%j is no name of a variable", async (name) => {
  const response = await world.post("/v1/jobs", { command: "true", user: "t", env: { [name]: "() { :; }" } });
  expect(response.status).toBe(422);
});

test("a job inherits neither the server's secrets nor its descriptors", async () => {
  const { id } = await world.submit({ command: "env; ls -l /proc/self/fd", num_gpus: 0 });
  expect(await world.waitFor(id)).toMatchObject({ exit_code: 0 });
  expect(readLog(id)).not.toMatch(/the-token-of-the-server|NS_|jobs\.db|server\.lock|secret\.key|socket:/);
  expect(readFileSync(`/proc/${server}/environ`, "latin1")).toContain("the-token-of-the-server");
});

test("other users can read nothing of the server's folder", () => {
  const folder = join(world.folder, "server");
  const modes = ["", "jobs", "jobs.db", "jobs.db-wal", "secret.key"].map(
    (name) => statSync(join(folder, name)).mode & 0o077,
  );
  expect(modes).toEqual([0, 0, 0, 0, 0]);
});

test("a command may not hold what its script could not", async () => {
  const { id } = await world.submit({ command: "echo '\u001b]0;x\u0007' $'\\0' end\nexit 0", num_gpus: 0 });
  expect(await world.waitFor(id)).toMatchObject({ exit_code: 0 });
  expect((await world.nx(["history"])).stdout).not.toContain("\u001b]");
});

const runServerIn = (folder: string) =>
  runProgram([...SERVER, "--server-dir", folder, "--port", "0"], { env: world.env, cwd: world.home });

const beNobody = ["--reuid=65534", "--regid=65534", "--clear-groups"];
const isTaken = spawnSync("setpriv", [...beNobody, "true"]).status === 0;
const canBecomeNobody = checkAbility(isTaken, "leave to become another user");

const createTrap = (): string => {
  const place = mkdtempSync(join(tmpdir(), "nexus-trap-"));
  chmodSync(place, 0o777);
  return place;
};

test("a folder that others may write to is refused", async () => {
  const place = createTrap();
  try {
    const open = join(place, "open");
    mkdirSync(open);
    chmodSync(open, 0o777);
    expect(await runServerIn(open)).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("chmod go-w") });
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
});

test.skipIf(!canBecomeNobody)("a folder that another user made, or links to, is refused", async () => {
  const place = createTrap();
  try {
    const asNobody = (script: string) => spawnSync("setpriv", [...beNobody, "bash", "-c", script], { cwd: place });
    expect(asNobody("mkdir -m 700 theirs").status).toBe(0);
    expect(await runServerIn(join(place, "theirs"))).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining("belongs to another user"),
    });
    const mine = join(place, "mine");
    mkdirSync(mine, { mode: 0o700 });
    expect(asNobody("ln -s mine trap").status).toBe(0);
    expect(await runServerIn(join(place, "trap"))).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining("a link that another user made"),
    });
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
});

test("a link of one's own to a folder of one's own is fine, and a pipe in a job's folder stops nothing", async () => {
  const { id } = await world.submit({ command: "rm -f ../exit_code; mkfifo ../exit_code; sleep 60", num_gpus: 0 });
  await world.waitFor(id, ["running"]);
  const other = await world.submit({ command: "true", num_gpus: 0 });
  expect(await world.waitFor(other.id)).toMatchObject({ exit_code: 0 });
  await fetch(`${world.url}/v1/jobs/${id}/kill`, { method: "POST" });
  await world.waitFor(id);
  symlinkSync(join(world.folder, "server"), join(world.folder, "link"));
  expect((await runServerIn(join(world.folder, "link"))).stderr).toContain("in use by another nexus-server");
});
