import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { copyFileSync, existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { WireJob } from "../../../src/wire/job.ts";
import { type Finished, runProgram, SERVER, stopChild } from "../../support/programs.ts";
import { waitUntil } from "../../support/wait.ts";
import { createWorld, type World } from "../../support/world.ts";

let world: World;

beforeEach(async () => {
  world = await createWorld();
});

afterEach(() => world.dispose());

const NOTHING_STARTS = { NS_MAX_CPU_JOBS: "0" };

const at = (name: string): string => join(world.folder, name);

const serve = (...words: readonly string[]): Promise<Finished> =>
  runProgram([...SERVER, ...words], { env: world.env, cwd: world.home });

const work = (name: string, ending: string): string => `echo ${name} >> ${at("effects")}; ${ending}`;

const waitForGo = (name: string, exitCode: number): string =>
  `until [ -e ${at(name)} ]; do sleep 0.02; done; exit ${exitCode}`;

const submit = (id: string, ending: string): Promise<WireJob> =>
  world.submit({ job_id: id, command: work(id, ending), num_gpus: 0, env: { NAME: id } });

const countEffects = (): readonly string[] => readFileSync(at("effects"), "utf8").trim().split("\n").toSorted();

const resultOf = async (id: string): Promise<unknown> => {
  const job = await world.waitFor(id);
  return [job.status, job.exit_code];
};

const waitForEffect = (name: string): Promise<void> =>
  waitUntil(() => existsSync(at("effects")) && countEffects().includes(name), `${name} began`);

const kill = async (id: string): Promise<void> => {
  await fetch(`${world.url}/v1/jobs/${id}/kill`, { method: "POST" });
  await world.waitFor(id);
};

const makeHistory = async (): Promise<string> => {
  const server = await world.startServer(NOTHING_STARTS);
  for (const [id, ending] of [
    ["ends", "exit 3"],
    ["goes-on", waitForGo("go", 4)],
    ["is-killed", "sleep 60"],
  ] as const)
    await submit(id, ending);
  const backup = await serve("backup");
  expect([backup.exitCode, backup.stderr]).toEqual([0, expect.stringContaining("keep it as safe")]);
  await stopChild(server, "SIGTERM");
  return backup.stdout.trim();
};

const goOn = async (): Promise<number | null> => {
  const server = await world.startServer({ NS_MAX_CPU_JOBS: "9" });
  await submit("came-later", waitForGo("go", 5));
  await submit("came-and-ended", "exit 6");
  await world.waitFor("ends");
  await world.waitFor("came-and-ended");
  for (const name of ["goes-on", "came-later", "is-killed"]) await waitForEffect(name);
  await kill("is-killed");
  const { pid } = await world.job("goes-on");
  await stopChild(server, "SIGKILL");
  return pid;
};

describe("a restored backup", () => {
  test("runs no job twice: those that it has queued have their own results, and those it never knew are there", async () => {
    const path = await makeHistory();
    const pid = await goOn();
    const restored = await serve("restore");
    expect([restored.exitCode, restored.stderr]).toEqual([0, ""]);
    expect(restored.stdout).toContain(`Restored ${path}`);
    expect(restored.stdout).toContain("5 of the started ones began after the backup");
    await world.startServer({ NS_MAX_CPU_JOBS: "9" });
    expect(await resultOf("ends")).toEqual(["failed", 3]);
    expect(await resultOf("is-killed")).toEqual(["killed", null]);
    expect(await resultOf("came-and-ended")).toEqual(["failed", 6]);
    expect((await world.job("goes-on")).pid).toBe(pid);
    expect((await world.job("came-later")).status).toBe("running");
    writeFileSync(at("go"), "");
    expect(await resultOf("goes-on")).toEqual(["failed", 4]);
    expect(await resultOf("came-later")).toEqual(["failed", 5]);
    expect(countEffects()).toEqual(["came-and-ended", "came-later", "ends", "goes-on", "is-killed"]);
  });

  test("runs no job twice either when it was put in place by hand", async () => {
    const path = await makeHistory();
    await goOn();
    for (const suffix of ["", "-wal", "-shm"])
      rmSync(join(world.folder, "server", `jobs.db${suffix}`), { force: true });
    copyFileSync(path, join(world.folder, "server", "jobs.db"));
    await world.startServer({ NS_MAX_CPU_JOBS: "9" });
    expect(await resultOf("ends")).toEqual(["failed", 3]);
    writeFileSync(at("go"), "");
    expect(await resultOf("goes-on")).toEqual(["failed", 4]);
    await world.waitFor("is-killed");
    expect(countEffects()).toEqual(["came-and-ended", "came-later", "ends", "goes-on", "is-killed"]);
  });
});

describe("nexus-server backup and restore", () => {
  test("go to the file that is named, refuse what they can't do, and leave the running server alone", async () => {
    await world.startServer(NOTHING_STARTS);
    await submit("a", "true");
    const none = await serve("restore");
    expect([none.exitCode, none.stderr]).toEqual([1, expect.stringContaining("There is no backup in")]);
    const made = await serve("backup", "--output", at("mine.db"));
    expect([made.exitCode, made.stdout]).toEqual([0, `${at("mine.db")}\n`]);
    expect(statSync(at("mine.db")).mode & 0o777).toBe(0o600);
    expect((await serve("backup", "--output", at("mine.db"))).stderr).toContain("is there already");
    const busy = await serve("restore", at("mine.db"));
    expect([busy.exitCode, busy.stderr]).toEqual([1, expect.stringContaining("is in use by another nexus-server")]);
    expect((await serve("--output", "x")).exitCode).toBe(2);
    expect((await serve("backup", "x")).exitCode).toBe(2);
    expect((await world.job("a")).status).toBe("queued");
    expect(readdirSync(world.folder).filter((name) => name.endsWith(".part"))).toEqual([]);
  });
});
