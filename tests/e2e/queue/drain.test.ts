import { afterAll, beforeAll, expect, test } from "bun:test";
import { type ChildProcess, execFileSync } from "node:child_process";
import type { WireWait } from "../../../src/wire/wait.ts";
import { type Finished, runProgram, SERVER, stopChild } from "../../support/programs.ts";
import { createWorld, type World } from "../../support/world.ts";

const SETTINGS = { NS_REFRESH_RATE: "600" };

let world: World;
let server: ChildProcess;

const manage = (...words: readonly string[]): Promise<Finished> =>
  runProgram([...SERVER, ...words], { env: { ...world.env, SUDO_USER: "ann" }, cwd: world.home });

const addJob = async (): Promise<string> => {
  const added = await world.nx(["add", "--no-git", "-c", "-q", "true"]);
  expect([added.exitCode, added.stderr]).toEqual([
    0,
    expect.stringMatching(/^Warning: nothing starts: the server is drained by ann since .*: a new driver\n$/),
  ]);
  return added.stdout.trim();
};

beforeAll(async () => {
  world = await createWorld();
  server = await world.startServer(SETTINGS);
});

afterAll(() => world.dispose());

test("nexus-server drain lets nothing start, nx says so wherever it matters, and resume ends it", async () => {
  const running = await world.submit({ command: "sleep 60", num_gpus: 0 });
  await world.waitFor(running.id, ["running"]);
  const drained = await manage("drain", "--why", "a new driver", "--until", "+2h");
  expect([drained.exitCode, drained.stdout]).toEqual([
    0,
    expect.stringMatching(/^Nothing starts until .*Z; running jobs go on\. .*nexus-server resume\n$/),
  ]);
  const again = await manage("drain", "--why", "a new driver");
  expect([again.exitCode, again.stdout.startsWith("Nothing starts;")]).toEqual([0, true]);
  const id = await addJob();
  for (const words of [["queue"], []])
    expect((await world.nx(words)).stderr).toMatch(/nothing starts: the server is drained by ann since/);
  expect((await world.nx(["why", id])).stdout).toStartWith("The server is drained by ann: a new driver.\n");
  const ran = await world.nx(["run", "--no-git", "-c", "true"]);
  expect([ran.exitCode !== 0, ran.stderr]).toEqual([true, expect.stringContaining("drained by ann: a new driver")]);
  await stopChild(server, "SIGTERM");
  server = await world.startServer(SETTINGS);
  expect((await world.nx(["why", id])).stdout).toContain("drained by ann");
  expect((await world.job(id)).status).toBe("queued");
  expect((await world.job(running.id)).status).toBe("running");
  const resumed = await manage("resume");
  expect([resumed.exitCode, resumed.stdout]).toEqual([0, "Jobs start again.\n"]);
  expect((await world.waitFor(id)).status).toBe("completed");
  expect((await manage("resume")).stdout).toBe("Nothing was drained: jobs start as before.\n");
});

test("who drained it is known also where no variable says so, and until when in whole seconds", async () => {
  const env = { ...world.env, SUDO_USER: "", USER: "", LOGNAME: "" };
  const drained = await runProgram([...SERVER, "drain", "--until", "+2h"], { env, cwd: world.home });
  expect(drained.stdout).toMatch(/ until [-\d]+T[\d:]+Z; /);
  const { id } = await world.submit({ command: "true", num_gpus: 0 });
  const why = JSON.parse((await world.nx(["why", id, "--json"])).stdout) as WireWait;
  const user = execFileSync("id", ["-un"], { encoding: "utf8" }).trim();
  expect(why.text).toMatch(new RegExp(`^The server is drained by ${user} until [-\\d]+T[\\d:]+Z$`));
  expect(Number.isInteger(why.until)).toBe(true);
  expect((await manage("resume")).exitCode).toBe(0);
  await world.waitFor(id);
});

test("a drain ends by itself at its time", async () => {
  expect((await manage("drain", "--until", "+1s")).exitCode).toBe(0);
  const { id } = await world.submit({ command: "true", num_gpus: 0 });
  expect((await world.waitFor(id)).status).toBe("completed");
});

test("an end that is none, or past, is refused, and nothing is drained", async () => {
  for (const until of ["2h", "2020-01-01"]) {
    const refused = await manage("drain", "--until", until);
    expect([refused.exitCode, refused.stderr]).toEqual([2, expect.stringContaining("--until")]);
  }
  expect((await manage("resume")).stdout).toContain("Nothing was drained");
});
