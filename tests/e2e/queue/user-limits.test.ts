import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createWorld, type World } from "../../support/world.ts";

const CONFIG = `max_time = "1h"

[users.ann]
max_gpus = 1
max_running = 1
max_priority = 5
`;

let world: World;

beforeAll(async () => {
  world = await createWorld();
  mkdirSync(join(world.folder, "server"), { recursive: true });
  writeFileSync(join(world.folder, "server", "config.toml"), CONFIG, { mode: 0o600 });
  await world.startServer();
});

afterAll(() => world.dispose());

test("of two jobs of a user who may have one, the second starts when the first has ended", async () => {
  const jobs = [];
  for (let count = 0; count < 4; count++)
    jobs.push(await world.submit({ command: "sleep 0.5", user: "ann", num_gpus: count % 2 }));
  const ended = await Promise.all(jobs.map(({ id }) => world.waitFor(id)));
  const spans = ended
    .map((job) => [job.started_at ?? 0, job.completed_at ?? 0] as const)
    .toSorted((a, b) => a[0] - b[0]);
  for (const [index, [start]] of spans.slice(1).entries()) expect(start).toBeGreaterThanOrEqual(spans[index]?.[1] ?? 0);
  expect(ended.map(({ status }) => status)).toEqual(Array(4).fill("completed"));
});

test("nx says in one line what a user may have, with exit code 4", async () => {
  const refused = await world.nx(["add", "--no-git", "-c", "--time", "2h", "true"]);
  expect([refused.exitCode, refused.stderr]).toEqual([
    4,
    "nx: tester may have a time of at most 1h, not 2h (max_time)\n",
  ]);
});
