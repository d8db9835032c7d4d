import { afterAll, beforeAll, expect, test } from "bun:test";
import { createWorld, type World } from "../../support/world.ts";

let world: World;

const add = async (words: readonly string[]): Promise<readonly string[]> => {
  const { stdout, stderr, exitCode } = await world.nx(["add", "-y", "-q", "--no-git", "-c", "--hold", ...words]);
  expect([exitCode, stderr.includes("nx:")]).toEqual([0, false]);
  return stdout.trim().split("\n");
};

const listIds = async (words: readonly string[]): Promise<readonly string[]> => {
  const { stdout } = await world.nx([...words, "-q"]);
  return stdout.trim().split("\n").toSorted();
};

beforeAll(async () => {
  world = await createWorld();
  await world.startServer();
});

afterAll(() => world.dispose());

test("a batch is listed, shown, edited, released and awaited by its word", async () => {
  const ids = await add(["--name", "sweep", "echo {1,2,3}"]);
  const batch = `@${(await world.job(ids[0] ?? "")).batch_id}`;
  expect((await world.nx(["batch"])).stdout).toContain(batch);
  expect(await listIds(["queue", batch])).toEqual(ids.toSorted());
  expect((await world.nx(["edit", batch, "-p", "4"])).exitCode).toBe(2);
  expect((await world.nx(["edit", "-y", batch, "-p", "4"])).exitCode).toBe(0);
  for (const id of ids) expect(await world.job(id)).toMatchObject({ priority: 4 });
  expect((await world.nx(["release", "-y", batch])).exitCode).toBe(0);
  const waited = await world.nx(["wait", "-q", batch]);
  expect([waited.exitCode, waited.stdout.trim().split("\n").toSorted()]).toEqual([0, ids.toSorted()]);
  expect(await listIds(["history", batch])).toEqual(ids.toSorted());
  expect(await listIds(["history", "--batch", batch])).toEqual(ids.toSorted());
  expect(await listIds(["history", "--name", "sweep"])).toEqual(ids.toSorted());
  expect(await listIds(["history", "sweep"])).toEqual(ids.toSorted());
});

test("a name selects all that bear it, of the user alone unless all are meant", async () => {
  const own = await add(["--name", "mine", "true"]);
  const other = await world.submit({ command: "true", user: "bob", name: "mine", num_gpus: 0, held: true });
  expect(await listIds(["queue", "mine"])).toEqual([...own]);
  expect(await listIds(["queue", "--all-users", "mine"])).toEqual([...own, other.id].toSorted());
  expect((await world.nx(["cancel", "-y", "mine"])).exitCode).toBe(0);
  const none = await world.nx(["cancel", "-y", "mine"]);
  expect([none.exitCode, none.stderr.includes("--all-users")]).toEqual([5, true]);
  expect((await world.nx(["cancel", "-y", "--all-users", "mine"])).exitCode).toBe(0);
});

test("nx cancel ends what runs and takes out what waits", async () => {
  const waiting = await add(["sleep 300 # cancel"]);
  const running = await world.submit({ command: "sleep 300 # cancel", num_gpus: 0 });
  await world.waitFor(running.id, ["running"]);
  const cancelled = await world.nx(["cancel", "-y", "--json", "300 # cancel"]);
  const { cancelled: ids } = JSON.parse(cancelled.stdout) as { cancelled: readonly string[] };
  expect(ids.toSorted()).toEqual([...waiting, running.id].toSorted());
  expect((await world.waitFor(running.id)).status).toBe("killed");
});

test("a job may wait for a batch, and for jobs of a name", async () => {
  const first = await add(["--name", "prepare", "echo {1,2}"]);
  const batch = `@${(await world.job(first[0] ?? "")).batch_id}`;
  const [afterBatch = ""] = await add(["--after", batch, "true"]);
  const [afterName = ""] = await add(["--after", "prepare", "true"]);
  for (const id of [afterBatch, afterName]) expect((await world.job(id)).after.toSorted()).toEqual(first.toSorted());
  expect((await world.nx(["cancel", "-y", batch])).exitCode).toBe(0);
  expect((await world.waitFor(afterBatch)).error_message).toContain("which it waits for, was removed");
});

test("an id means its job alone, also where that is in another state", async () => {
  const [id = ""] = await add(["true"]);
  await world.nx(["release", id]);
  await world.waitFor(id);
  const running = await world.submit({ command: `sleep 300 # after ${id}`, num_gpus: 0 });
  await world.waitFor(running.id, ["running"]);
  expect((await world.nx(["kill", "-y", id])).exitCode).toBe(6);
  expect((await world.job(running.id)).status).toBe("running");
  await world.nx(["kill", "-y", running.id]);
});
