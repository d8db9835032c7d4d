import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { WireWait } from "../../../src/wire/wait.ts";
import { stopChild } from "../../support/programs.ts";
import { createWorld, type World } from "../../support/world.ts";

let world: World;
let server: Awaited<ReturnType<World["startServer"]>>;

const NOT_ENFORCED = "CPUs and memory are booked, not enforced: nothing keeps a job to what it names\n";

const ask = async (path: string): Promise<unknown> => (await fetch(`${world.url}${path}`)).json();

const readWhy = async (id: string): Promise<WireWait> => (await ask(`/v1/jobs/${id}/why`)) as WireWait;

const addJob = async (...words: readonly string[]): Promise<string> =>
  (await world.nx(["add", "-q", "--no-git", ...words])).stdout.trim();

beforeAll(async () => {
  world = await createWorld();
  const settings = { NS_CPUS: "6", NS_MEMORY_GB: "8", NS_BOOK_CPUS: "true", NS_MAX_CPU_JOBS: "50" };
  server = await world.startServer(settings);
});

afterAll(() => world.dispose());

test("jobs book CPUs and memory of the machine, and wait for them; nx says what is booked and by whom", async () => {
  const first = await world.nx(["add", "--no-git", "--json", "-c", "--cpus", "4", "--mem", "6G", "sleep 60"]);
  expect(first.stderr).toContain(NOT_ENFORCED);
  const [{ id }] = JSON.parse(first.stdout) as [{ id: string }];
  await world.waitFor(id, ["running"]);
  const facts = (await world.nx(["get", id])).stdout;
  expect(facts).toContain("cpus      4 booked, not enforced");
  expect(facts).toContain("memory    6 GiB booked, not enforced");
  expect(await ask("/v1/server/status")).toMatchObject({
    booking: { cpus: 6, cpus_booked: 4, memory_mib: 8192, memory_booked_mib: 6144, enforced: false },
  });
  const gpu = await addJob("-g", "1", "sleep 60");
  expect(await readWhy(gpu)).toMatchObject({
    reason: "cpus",
    text: `It needs 3 CPUs, and 2 of 6 are free: job ${id} of tester has 4`,
  });
  const large = await addJob("-c", "--mem", "3G", "true");
  expect(await readWhy(large)).toMatchObject({ reason: "memory" });
  expect((await world.nx(["why", large])).stdout).toContain("It needs 3 GiB of memory, and 2 GiB of 8 GiB is free");
  const small = await addJob("-c", "--cpus", "2", "--mem", "2G", "true");
  expect((await world.waitFor(small)).status).toBe("completed");
  const refused = await world.nx(["run", "-c", "--no-git", "--cpus", "3", "true"]);
  expect([refused.exitCode, refused.stderr]).toEqual([6, expect.stringContaining("needs 3 CPUs, and 2 of 6 are free")]);
  expect((await world.nx(["edit", gpu, "--cpus", "2"])).exitCode).toBe(0);
  await world.waitFor(gpu, ["running"]);
  expect((await world.nx(["kill", "-y", id, gpu])).exitCode).toBe(0);
  expect((await world.waitFor(large)).status).toBe("completed");
});

test("what the machine does not have is wrong usage, at submission and edit, and so is a number that is no size", async () => {
  for (const words of [
    ["--cpus", "7"],
    ["--mem", "9G"],
    ["--cpus", "0"],
    ["--mem", "16"],
  ]) {
    const refused = await world.nx(["add", "--no-git", "-c", ...words, "true"]);
    expect([words, refused.exitCode]).toEqual([words, 2]);
  }
  const held = await addJob("-c", "--hold", "true");
  const edited = await world.nx(["edit", held, "--cpus", "7"]);
  expect([edited.exitCode, edited.stderr]).toEqual([2, expect.stringContaining("needs 7 CPUs, and the machine has 6")]);
  expect((await world.nx(["remove", "-y", held])).exitCode).toBe(0);
});

test("a server that comes back knows what is booked by what runs, also under other settings", async () => {
  const runs = await addJob("-g", "1", "sleep 60");
  await world.waitFor(runs, ["running"]);
  await stopChild(server, "SIGTERM");
  await world.startServer({ NS_CPUS: "4", NS_MEMORY_GB: "8", NS_MAX_CPU_JOBS: "50" });
  expect(await ask("/v1/server/status")).toMatchObject({ booking: { cpus: 4, cpus_booked: 3 } });
  const wide = await addJob("-c", "--cpus", "2", "true");
  expect(await readWhy(wide)).toMatchObject({ reason: "cpus" });
  expect((await world.nx(["kill", "-y", runs])).exitCode).toBe(0);
  expect((await world.waitFor(wide)).status).toBe("completed");
});

test("the project's file, settings and #SBATCH lines name them, too", async () => {
  const folder = join(world.home, "project");
  mkdirSync(folder);
  await world.git(["init", "-q"], folder);
  writeFileSync(join(folder, ".nexus.toml"), 'cpus = 2\nmem = "1G"\n');
  const plan = await world.nx(["add", "--dry-run", "-c", "true"], folder);
  expect(JSON.parse(plan.stdout)).toMatchObject([{ cpus: 2, memory_mib: 1024 }]);
  writeFileSync(join(folder, "job.sh"), "#!/bin/bash\n#SBATCH -c 3 --mem=2000\n\ntrue\n");
  const taken = await world.nx(["add", "--dry-run", "-c", "--sbatch", "job.sh"], folder);
  expect(JSON.parse(taken.stdout)).toMatchObject([{ cpus: 3, memory_mib: 2000 }]);
});
