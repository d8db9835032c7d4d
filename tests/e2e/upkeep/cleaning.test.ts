import { afterEach, beforeEach, expect, test } from "bun:test";
import type { ChildProcess } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { formatMinute } from "../../../src/wire/outputs-text.ts";
import { expireFiles } from "../../support/expire-files.ts";
import { runProgram, SERVER, stopChild } from "../../support/programs.ts";
import { waitUntil } from "../../support/wait.ts";
import { createWorld, type World } from "../../support/world.ts";

const DAY_MS = 86_400_000;

let world: World;
let first: ChildProcess;

beforeEach(async () => {
  world = await createWorld();
  first = await world.startServer({ NS_RETENTION_DAYS: "30" });
});

afterEach(() => world.dispose());

const clean = (days: string, ...words: readonly string[]) =>
  runProgram([...SERVER, "clean", ...words], { env: { ...world.env, NS_RETENTION_DAYS: days }, cwd: world.home });

const nameTime = (timeMs: number): string => `${new Date(timeMs).toISOString().slice(0, 19).replaceAll(/[-:]/g, "")}Z`;

const age = async (id: string, seconds: number): Promise<void> => {
  const { Database } = await import("bun:sqlite");
  const db = new Database(join(world.folder, "server", "jobs.db"));
  db.exec("pragma busy_timeout = 5000");
  db.query("update jobs set completed_at = completed_at - ? where id = ?").run(seconds, id);
  db.close();
};

test("nexus-server clean frees what ended long ago while the server runs, and nx logs says so in one line", async () => {
  for (const job_id of ["old", "fresh"]) await world.submit({ job_id, command: "echo hello", num_gpus: 0 });
  for (const id of ["old", "fresh"]) await world.waitFor(id);
  await world.submit({ job_id: "running", command: "sleep 60", num_gpus: 0 });
  await world.waitFor("running", ["running"]);
  await age("old", 2 * 86_400);
  expect((await clean("30")).stdout).toBe("Nothing is old enough to go.\n");
  const dry = await clean("1", "--dry-run");
  expect(dry.stdout).toMatch(
    /^old {2}ended \d{4}-\d\d-\d\d {2}0\.\d MB\nWould free 0\.\d MB: the folder of 1 ended job\./,
  );
  expect(existsSync(join(world.folder, "server/jobs/old/output.log"))).toBe(true);
  const real = await clean("1");
  expect([real.exitCode, real.stderr]).toEqual([0, ""]);
  expect(real.stdout).toContain("Freed 0.");
  expect(readdirSync(join(world.folder, "server/jobs")).toSorted()).toEqual(["fresh", "running"]);
  expect(await world.nx(["logs", "fresh"])).toMatchObject({ exitCode: 0, stdout: expect.stringContaining("hello") });
  const gone = "The log of job old is no longer there: the server keeps folders of ended jobs for a while only.\n";
  expect(await world.nx(["logs", "old"])).toMatchObject({ exitCode: 0, stdout: "", stderr: gone });
  expect(await world.nx(["logs", "-F", "old"])).toMatchObject({ exitCode: 0, stdout: "", stderr: gone });
  expect(JSON.parse((await world.nx(["logs", "old", "--json"])).stdout)).toEqual({ data: "", removed: true });
  expect((await world.nx(["get", "old"])).exitCode).toBe(0);
  expect((await world.job("running")).status).toBe("running");
});

const tellOwner = async (id: string, seconds: number): Promise<number> => {
  const until = Math.floor(Date.now() / 1000) + seconds;
  await expireFiles(world, id, until);
  return until;
};

test("nexus-server clean says in one line what files of a job go, when, and whether their owner was told", async () => {
  await world.submit({ job_id: "old", command: "echo 1 > made", num_gpus: 0 });
  await world.waitFor("old");
  await waitUntil(async () => (await world.job("old")).outputs.state === "kept", "its file is kept");
  await age("old", 40 * 86_400);
  const made = join(world.folder, "server/jobs/old/outputs/made");
  const listed = (rest: string): RegExp =>
    new RegExp(
      `^old {2}its files, 0\\.0 MB, go on \\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d UTC at the earliest: ${rest}$`,
      "m",
    );
  for (const words of [["--dry-run"], []]) {
    const { stdout } = await clean("30", ...words);
    expect(stdout).toMatch(/^old {2}ended \S+ {2}0\.\d MB, but for the files that it made$/m);
    expect(stdout).toMatch(listed("the server tells their owner first"));
  }
  const until = await tellOwner("old", 3600);
  for (const words of [["--dry-run"], []]) {
    const { stdout } = await clean("30", ...words);
    expect(stdout).toMatch(listed("their owner was told"));
    expect(stdout).toEndWith(`go on ${formatMinute(until)} at the earliest: their owner was told\nNothing goes now.\n`);
  }
  expect(existsSync(made)).toBe(true);
  await tellOwner("old", -1);
  expect((await clean("30", "--dry-run")).stdout).toMatch(/^old {2}ended \S+ {2}0\.\d MB\nWould free /);
  expect((await clean("30")).exitCode).toBe(0);
  expect(existsSync(made)).toBe(false);
});

test("a job whose folder was cleaned does not run again when a backup from before its start is restored", async () => {
  const server = join(world.folder, "server");
  const ran = join(world.home, "ran");
  const call = (...words: readonly string[]) => runProgram([...SERVER, ...words], { env: world.env, cwd: world.home });
  await stopChild(first, "SIGTERM");
  const idle = await world.startServer({ NS_MAX_CPU_JOBS: "0" });
  await world.submit({ job_id: "once", command: `echo run >> ${ran}; exit 3`, num_gpus: 0 });
  const backup = join(server, "backups", `jobs-${nameTime(Date.now() - 3 * DAY_MS)}.db`);
  mkdirSync(dirname(backup), { recursive: true });
  expect((await call("backup", "--output", backup)).stderr).not.toContain("nexus-server:");
  await stopChild(idle, "SIGTERM");
  const busy = await world.startServer();
  await world.waitFor("once");
  await age("once", 2 * 86_400);
  expect((await clean("1")).stdout).toContain("the folder of 1 ended job");
  expect(existsSync(join(server, "jobs/once/output.log"))).toBe(false);
  await stopChild(busy, "SIGTERM");
  expect((await call("restore", backup)).exitCode).toBe(0);
  await world.startServer();
  expect(await world.waitFor("once")).toMatchObject({ status: "failed", exit_code: 3 });
  expect(readFileSync(ran, "utf8")).toBe("run\n");
});
