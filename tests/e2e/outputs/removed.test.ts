import { afterEach, beforeEach, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { JOB_FILES } from "../../../src/server/external/job-folder/job-paths.ts";
import { stopChild } from "../../support/programs.ts";
import { waitUntil } from "../../support/wait.ts";
import { createWorld, type World } from "../../support/world.ts";

let world: World;

beforeEach(async () => {
  world = await createWorld();
});

afterEach(() => world.dispose());

const SETTINGS = { NS_REFRESH_RATE: "0.3", NS_MAX_CPU_JOBS: "100" };
const LIMIT_MS = 120_000;
const HOLDERS: readonly string[] = [JOB_FILES.repo, JOB_FILES.outputs];

const REMOVALS = [...Object.values(JOB_FILES).filter((name) => !HOLDERS.includes(name)), "*", "claim-*"];

const nameJob = (index: number): string => `job-${index}`;

const isMade = (id: string): boolean =>
  HOLDERS.some((name) => existsSync(join(world.folder, "server/jobs", id, name, "made")));

test.each([
  ["its own folder", "repo"],
  ["the folder that it was given", "outputs"],
])(
  "what a job made in %s is kept whichever of the server's files it removes",
  async (_what, place) => {
    const server = await world.startServer(SETTINGS);
    const submissions = REMOVALS.map((name, index) =>
      world.submit({
        job_id: nameJob(index),
        command: `echo made > ../${place}/made; for path in ../${name}; do [ -d "$path" ] && [ "$path" != ../pending ] || rm -rf "$path"; done`,
        num_gpus: 0,
      }),
    );
    await Promise.all(submissions);
    const ids = REMOVALS.map((_, index) => nameJob(index));
    for (const id of ids) {
      await world.waitFor(id);
      await waitUntil(async () => (await world.job(id)).outputs.state === "kept", `what ${id} made is kept`);
    }
    await stopChild(server, "SIGKILL");
    await world.startServer(SETTINGS);
    await waitUntil(async () => (await fetch(`${world.url}/v1/health`)).ok, "it answers");
    expect(REMOVALS.filter((_, index) => !isMade(nameJob(index)))).toEqual([]);
  },
  LIMIT_MS,
);
