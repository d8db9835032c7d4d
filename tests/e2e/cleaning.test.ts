import { afterEach, beforeEach, expect, test } from "bun:test";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { createWorld, runProgram, SERVER, type World } from "./programs.ts";

let world: World;

beforeEach(async () => {
  world = await createWorld();
  await world.startServer({ NS_RETENTION_DAYS: "30" });
});

afterEach(() => world.dispose());

const clean = (days: string, ...words: readonly string[]) =>
  runProgram([...SERVER, "clean", ...words], { env: { ...world.env, NS_RETENTION_DAYS: days }, cwd: world.home });

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
