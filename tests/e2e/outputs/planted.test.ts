import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
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

const PLANTS: readonly (readonly [string, (outside: string) => string])[] = [
  ["a pipe", () => "mkfifo"],
  ["a link to a file", (outside) => `ln -s ${outside}/file`],
  ["a link to a folder", (outside) => `ln -s ${outside}`],
  ["a folder", () => "mkdir"],
];

const makeOutside = (): string => {
  const outside = join(world.folder, "outside");
  mkdirSync(outside);
  writeFileSync(join(outside, "file"), "outside");
  return outside;
};

const nameJob = (path: string): string => path.replaceAll(/[^a-z]/g, "-");

const plantIn = async (plant: string, then: string): Promise<readonly string[]> => {
  const paths = Object.values(JOB_FILES);
  for (const path of paths) {
    const make = `rm -rf ../${path}; ${plant} ../${path}; : > ${join(world.folder, `planted-${nameJob(path)}`)}`;
    const command = `echo own > ../outputs/taken; echo new > taken; ${make}; ${then}`;
    await world.submit({ job_id: nameJob(path), command, num_gpus: 0 });
  }
  const ids = paths.map(nameJob);
  await waitUntil(
    () => ids.every((id) => readdirSync(world.folder).includes(`planted-${id}`)),
    "all have planted something",
  );
  return ids;
};

const waitUntilDone = async (ids: readonly string[]): Promise<void> => {
  for (const id of ids) {
    await world.waitFor(id);
    await waitUntil(async () => (await world.job(id)).outputs.state !== "moving", `the files of ${id} are seen to`);
  }
};

const expectUntouched = (outside: string): void => {
  expect(readdirSync(outside)).toEqual(["file"]);
  expect(readFileSync(join(outside, "file"), "utf8")).toBe("outside");
};

test.each(PLANTS)(
  "%s that a job put in the place of any of its files holds up no end and no start, and nothing outside is written",
  async (_what, choosePlant) => {
    const outside = makeOutside();
    const server = await world.startServer(SETTINGS);
    await waitUntilDone(await plantIn(choosePlant(outside), "true"));
    await stopChild(server, "SIGKILL");
    await world.startServer(SETTINGS);
    await world.submit({ job_id: "another", command: "true", num_gpus: 0 });
    expect(await world.waitFor("another")).toMatchObject({ status: "completed" });
    expectUntouched(outside);
  },
  LIMIT_MS,
);

test.each(PLANTS)(
  "%s that a job put in the place of any of its files holds up no kill, and nothing outside is written",
  async (_what, choosePlant) => {
    const outside = makeOutside();
    await world.startServer(SETTINGS);
    const ids = await plantIn(choosePlant(outside), "sleep 600");
    await Promise.all(ids.map((id) => world.post(`/v1/jobs/${id}/kill`, {})));
    await waitUntilDone(ids);
    for (const id of ids) expect((await world.job(id)).status).toBe("killed");
    expectUntouched(outside);
  },
  LIMIT_MS,
);
