import { afterAll, beforeAll, expect, test } from "bun:test";
import { createWorld, type World } from "../../support/world.ts";

let world: World;

const addJob = async (words: readonly string[]): Promise<string> => {
  const { stdout, stderr, exitCode } = await world.nx(["add", "-q", "--no-git", "-c", ...words]);
  expect([exitCode, stderr]).toEqual([0, ""]);
  return stdout.trim();
};

beforeAll(async () => {
  world = await createWorld();
  await world.startServer();
});

afterAll(() => world.dispose());

test("a chain of jobs runs one after the other, each once those before it have completed", async () => {
  const first = await addJob(["--hold", "true"]);
  const second = await addJob(["--after", first, "true"]);
  const third = await addJob(["--after", `${first},${second}`, "true"]);
  expect((await world.nx(["why", third])).stdout).toContain("It waits for jobs ");
  await world.nx(["release", first]);
  const last = await world.waitFor(third);
  expect(last.status).toBe("completed");
  const before = await world.job(second);
  expect((last.started_at ?? 0) >= (before.completed_at ?? Number.POSITIVE_INFINITY)).toBe(true);
});

test("what waits for a job that fails fails with it, and says so; what waits for its end alone starts", async () => {
  const first = await addJob(["--hold", "exit 3"]);
  const strict = await addJob(["--after", first, "true"]);
  const next = await addJob(["--after", strict, "true"]);
  const easy = await addJob(["--after-any", first, "true"]);
  await world.nx(["release", first]);
  expect((await world.waitFor(easy)).status).toBe("completed");
  expect(await world.waitFor(next)).toMatchObject({
    status: "failed",
    started_at: null,
    dir: null,
    attempts: [],
    error_message: `Job ${strict}, which it waits for, failed`,
  });
  const log = await world.nx(["logs", strict]);
  expect([log.exitCode, log.stdout]).toEqual([0, ""]);
  const waited = await world.nx(["wait", strict]);
  expect([waited.exitCode, waited.stderr.includes(`Job ${first}, which it waits for, failed`)]).toEqual([1, true]);
  expect((await world.nx(["get", next])).stdout).toContain("which it waits for, failed");
});

test("an unknown job is named, and nothing is added", async () => {
  const refused = await world.nx(["add", "--no-git", "-c", "--after", "nosuch", "true"]);
  expect([refused.exitCode, refused.stderr.includes("nosuch")]).toEqual([5, true]);
  expect((await world.nx(["add", "--no-git", "-c", "--after", "A B", "true"])).exitCode).toBe(5);
});
