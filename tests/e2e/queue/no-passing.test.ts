import { afterAll, beforeAll, expect, test } from "bun:test";
import type { WireWait } from "../../../src/wire/wait.ts";
import { createWorld, type World } from "../../support/world.ts";

let world: World;

const readWhy = async (id: string): Promise<WireWait> =>
  (await (await fetch(`${world.url}/v1/jobs/${id}/why`)).json()) as WireWait;

const addJob = async (...words: readonly string[]): Promise<string> =>
  (await world.nx(["add", "-q", "--no-git", ...words])).stdout.trim();

beforeAll(async () => {
  world = await createWorld();
  await world.startServer({ NS_MOCK_GPUS: "2" });
});

afterAll(() => world.dispose());

test("no job behind one with --no-passing gets a GPU that it waits for, and nx why says from when GPUs are kept", async () => {
  const runs = await addJob("-g", "1", "sleep 60");
  await world.waitFor(runs, ["running"]);
  const wide = await addJob("-g", "2", "true");
  expect((await world.nx(["why", wide])).stdout).not.toContain("kept for it");
  await addJob("--hold", "true");
  expect((await world.nx(["why", wide])).stdout).toMatch(/GPUs that come free are kept for it from .*, in (29|30)/);
  const small = await addJob("-g", "1", "true");
  expect((await world.waitFor(small)).status).toBe("completed");
  expect((await world.nx(["edit", wide, "--no-passing"])).exitCode).toBe(0);
  const { keeps_from: keepsFrom } = await readWhy(wide);
  expect([keepsFrom, (await world.job(wide)).no_passing]).toEqual([(await world.job(wide)).created_at, true]);
  const later = await addJob("-g", "1", "true");
  expect((await readWhy(later)).text).toContain(`is kept for job ${wide} of tester, which no other may pass`);
  expect((await readWhy(wide)).text).toContain("what comes free is kept for it, as no other may pass it");
  expect((await world.nx(["kill", "-y", runs])).exitCode).toBe(0);
  for (const id of [wide, later]) expect((await world.waitFor(id)).status).toBe("completed");
});
