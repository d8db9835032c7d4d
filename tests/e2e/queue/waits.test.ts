import { afterAll, beforeAll, expect, test } from "bun:test";
import type { WireWait } from "../../../src/wire/wait.ts";
import { waitUntil } from "../../support/wait.ts";
import { createWorld, type World } from "../../support/world.ts";

let world: World;

const addJob = async (words: readonly string[]): Promise<string> => {
  const { stdout, stderr, exitCode } = await world.nx(["add", "-q", "--no-git", "-c", ...words]);
  expect([exitCode, stderr]).toEqual([0, ""]);
  return stdout.trim();
};

const readWhy = async (id: string): Promise<WireWait> =>
  (await (await fetch(`${world.url}/v1/jobs/${id}/why`)).json()) as WireWait;

beforeAll(async () => {
  world = await createWorld();
  await world.startServer();
});

afterAll(() => world.dispose());

test("nx add --hold waits for nx release, over a restart of the server", async () => {
  const id = await addJob(["--hold", "true"]);
  expect((await readWhy(id)).reason).toBe("held");
  expect((await world.nx(["queue"])).stdout).toContain("held");
  expect((await world.nx(["get", id])).stdout).toContain(`nx release ${id}`);
  const released = await world.nx(["release", id]);
  expect([released.exitCode, released.stdout]).toEqual([0, `Job ${id} is released.\n`]);
  expect((await world.waitFor(id)).status).toBe("completed");
});

test("nx hold keeps jobs of the queue back, and asks about more than one", async () => {
  const ids = [await addJob(["--begin", "+1h", "true held"]), await addJob(["--begin", "+1h", "true held"])];
  const unasked = await world.nx(["hold", "true held"]);
  expect([unasked.exitCode, unasked.stderr.includes("-y")]).toEqual([2, true]);
  const held = await world.nx(["hold", "-y", "true held"]);
  expect(held.stdout).toBe(ids.map((id) => `Job ${id} is held.\n`).join(""));
  for (const id of ids) expect(await world.job(id)).toMatchObject({ held: true, status: "queued" });
  expect((await world.nx(["remove", "-y", "true held"])).exitCode).toBe(0);
});

test("nx add --begin waits for its time and then starts by itself, and nx edit takes the time away", async () => {
  const soon = await addJob(["--begin", "+1s", "true"]);
  const { begin_at, created_at } = await world.job(soon);
  expect(begin_at).toBeGreaterThan(created_at);
  const ended = await world.waitFor(soon);
  expect([ended.status, (ended.started_at ?? 0) >= (begin_at ?? 0)]).toEqual(["completed", true]);
  const later = await addJob(["--begin", "2099-12-01 18:30", "true"]);
  const why = await world.nx(["why", later]);
  expect(why.stdout).toContain("It is not to start before 2099-12-01T");
  expect(why.stdout).toContain("That is 2099-12-01 18:30:00");
  expect((await world.nx(["edit", later, "--begin", "none"])).exitCode).toBe(0);
  expect((await world.waitFor(later)).status).toBe("completed");
});

test("the project's file may hold jobs, and nx run, which starts at once, passes over that", async () => {
  await Bun.write(`${world.home}/.nexus.toml`, 'hold = true\nname = "ours"\n');
  const id = await addJob(["true"]);
  expect(await world.job(id)).toMatchObject({ held: true, name: "ours" });
  const ran = await world.nx(["run", "--no-git", "-c", "true"]);
  expect(ran.exitCode).toBe(0);
  expect((await world.nx(["run", "--no-git", "-c", "--hold", "true"])).exitCode).toBe(2);
  await Bun.file(`${world.home}/.nexus.toml`).delete();
  await world.nx(["release", id]);
  await waitUntil(async () => (await world.job(id)).status === "completed");
});

test("a time that is none is refused with what it may be", async () => {
  const refused = await world.nx(["add", "--no-git", "-c", "--begin", "2h", "true"]);
  expect([refused.exitCode, refused.stderr]).toEqual([
    2,
    'nx: --begin must be a time such as 18:30, +2h, 2026-12-01 or "2026-12-01 18:30", not "2h"\n',
  ]);
});
