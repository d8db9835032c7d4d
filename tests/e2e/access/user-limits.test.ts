import { afterAll, beforeAll, expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createWorld, type World } from "../../support/world.ts";

const MIB = 1024 ** 2;

let world: World;

beforeAll(async () => {
  world = await createWorld();
  await world.startServer({ NS_MAX_CPU_JOBS: "0", NS_MAX_QUEUED: "3", NS_MAX_WAITING_GIB: String(3 / 1024) });
});

afterAll(() => world.dispose());

test("a sweep over a user's limit is refused in one line with exit code 4, and nothing of it is queued", async () => {
  expect((await world.nx(["add", "-c", "--no-git", "echo {1,2}"])).exitCode).toBe(0);
  const refused = await world.nx(["add", "-c", "--no-git", "echo {1,2}"]);
  expect(refused).toMatchObject({ exitCode: 4, stdout: "" });
  expect(refused.stderr.trim().split("\n").at(-1)).toMatch(
    /^nx: tester has 2 jobs in the queue and may have 3 \(max_queued\), so 2 more are too many: wait until/,
  );
  const queued = JSON.parse((await world.nx(["queue", "--json"])).stdout) as readonly unknown[];
  expect(queued).toHaveLength(2);
});

test("code for which a user's share has no room is refused likewise, before anything is queued", async () => {
  const repository = join(world.home, "code");
  mkdirSync(repository);
  await world.git(["init", "-q"], repository);
  writeFileSync(join(repository, "weights"), randomBytes(4 * MIB));
  await world.git(["add", "."], repository);
  await world.git(["commit", "-qm", "x"], repository);
  const refused = await world.nx(["add", "-c", "true"], repository);
  expect(refused).toMatchObject({ exitCode: 4, stdout: "" });
  expect(refused.stderr).toMatch(/may take 0.0029296875 GiB \(max_waiting_gib\), and this one is too much: wait until/);
});
