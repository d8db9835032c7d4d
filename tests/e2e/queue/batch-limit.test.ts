import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createWorld, type World } from "../../support/world.ts";

let world: World;

beforeAll(async () => {
  world = await createWorld();
  await world.startServer({ NS_MAX_CPU_JOBS: "8" });
});

afterAll(() => world.dispose());

test("of a batch with --max-parallel no more run at once, from its first start to its last end", async () => {
  const added = await world.nx(["add", "-qy", "--no-git", "-c", "--max-parallel", "2", "sleep 0.4; echo {1..5}"]);
  const ids = added.stdout.trim().split("\n");
  expect(ids).toHaveLength(5);
  const jobs = await Promise.all(ids.map((id) => world.waitFor(id)));
  expect(jobs.map(({ status, batch_max }) => [status, batch_max])).toEqual(Array(5).fill(["completed", 2]));
  const together = jobs.map(
    ({ started_at: at }) =>
      jobs.filter((one) => (one.started_at ?? 0) <= (at ?? 0) && (at ?? 0) < (one.completed_at ?? 0)).length,
  );
  expect(Math.max(...together)).toBe(2);
});

test("several of a batch keep its limit when they are done again, one alone and those of several limits have none", async () => {
  const add = async (max: string) =>
    (await world.nx(["add", "-qy", "--no-git", "-c", "--max-parallel", max, "-r", "2", "true"])).stdout
      .trim()
      .split("\n");
  const [[one = "", other = ""], [third = ""]] = [await add("1"), await add("2")] as const;
  const redo = async (...words: readonly string[]) => {
    const ids = (await world.nx(["redo", "-qy", ...words])).stdout.trim().split("\n");
    return Promise.all(ids.map(async (id) => (await world.job(id)).batch_max));
  };
  expect(await redo(one, other)).toEqual([1, 1]);
  expect(await redo("--max-parallel", "none", one, other)).toEqual([null, null]);
  expect(await redo(one)).toEqual([null]);
  expect(await redo(one, third)).toEqual([null, null]);
});

test("nx why and nx batch tell of the limit, and one edit lets all of the batch go", async () => {
  const added = await world.nx(["add", "-qy", "--no-git", "-c", "--max-parallel", "1", "sleep 60 # {1..3}"]);
  const [first = "", second = "", third = ""] = added.stdout.trim().split("\n");
  await world.waitFor(first, ["running"]);
  const { batch_id: batch } = await world.job(first);
  const why = await world.nx(["why", third]);
  expect(why.stdout).toContain(`1 job of @${batch} may run at once, and 1 runs or starts before it`);
  expect((await world.nx(["batch"])).stdout).toMatch(/1 of 1 +2 /);
  expect((await world.nx(["edit", second, "--max-parallel", "none"])).exitCode).toBe(0);
  for (const id of [second, third]) await world.waitFor(id, ["running"]);
  expect((await world.job(first)).batch_max).toBe(null);
  expect((await world.nx(["cancel", "-y", `@${batch}`])).exitCode).toBe(0);
});

test("--max-parallel of one job is refused with exit code 2, a default of it is passed over", async () => {
  const refused = await world.nx(["add", "--no-git", "-c", "--max-parallel", "2", "true"]);
  expect([refused.exitCode, refused.stderr]).toEqual([
    2,
    expect.stringContaining("nx: --max-parallel is for several jobs, and this makes one"),
  ]);
  const settings = join(world.folder, "home", ".nexus");
  mkdirSync(settings, { recursive: true });
  writeFileSync(join(settings, "config.toml"), "default_batch_max = 1\n");
  expect((await world.nx(["add", "-q", "--no-git", "-c", "true"])).exitCode).toBe(0);
  const many = await world.nx(["add", "-qy", "--no-git", "-c", "-r", "2", "true"]);
  expect((await world.job(many.stdout.trim().split("\n")[0] ?? "")).batch_max).toBe(1);
});
