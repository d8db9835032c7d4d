import { afterAll, beforeAll, expect, test } from "bun:test";
import type { ChildProcess } from "node:child_process";
import type { WireGpu } from "../../../src/wire/gpu.ts";
import { NX, stopChild } from "../../support/programs.ts";
import { openTmux } from "../../support/tmux-terminal.ts";
import { waitUntil } from "../../support/wait.ts";
import { createWorld, type World } from "../../support/world.ts";

const SETTINGS = { NS_REFRESH_RATE: "600" };

let world: World;
let server: ChildProcess;

const readGpus = async (): Promise<readonly WireGpu[]> =>
  (await (await fetch(`${world.url}/v1/gpus`)).json()) as readonly WireGpu[];

const reserve = async (...words: readonly string[]): Promise<string> => {
  const made = await world.nx(["reserve", "-q", ...words]);
  expect([made.exitCode, made.stderr]).toEqual([0, ""]);
  return made.stdout.trim();
};

const unreserveAll = async (): Promise<void> => {
  const listed = await world.nx(["reserve", "-q"]);
  const ids = listed.stdout.trim().split("\n");
  if (ids[0] !== "") expect((await world.nx(["unreserve", ...ids])).exitCode).toBe(0);
};

beforeAll(async () => {
  world = await createWorld();
  server = await world.startServer(SETTINGS);
});

afterAll(() => world.dispose());

test("what is reserved is for one user, who gets it first, over a restart, until it is given back", async () => {
  const runs = await world.submit({ command: "sleep 60", user: "bob", gpu_idxs: [1] });
  await world.waitFor(runs.id, ["running"]);
  const made = await world.nx(["reserve", "0,1", "--for", "4h", "--why", "a demo", "--user", "ann"]);
  expect([made.exitCode, made.stdout]).toEqual([
    0,
    expect.stringMatching(
      new RegExp(
        `^GPUs 0, 1 are reserved for ann until .*: a demo \\(\\w+\\)\nJob ${runs.id} of bob runs on GPU 1 and goes on\n$`,
      ),
    ),
  ]);
  const waits = await world.submit({ command: "true", user: "bob" });
  const why = await world.nx(["why", waits.id]);
  expect(why.stdout).toMatch(/GPU 0 is reserved for ann until .*: a demo; GPU 1 is reserved for ann/);
  expect((await world.nx([])).stdout.match(/reserved for ann until .*: a demo/g)?.length).toBe(2);
  const ran = await world.nx(["run", "--no-git", "-d", "true"]);
  expect([ran.exitCode, ran.stderr]).toEqual([6, expect.stringMatching(/reserved: GPU 0 by reservation \w+ of ann/)]);
  await stopChild(server, "SIGTERM");
  server = await world.startServer(SETTINGS);
  const own = await world.submit({ command: "true", user: "ann" });
  expect(await world.waitFor(own.id)).toMatchObject({ status: "completed", gpu_idxs: [0] });
  expect([(await world.job(waits.id)).status, (await world.job(runs.id)).status]).toEqual(["queued", "running"]);
  await unreserveAll();
  expect(await world.waitFor(waits.id)).toMatchObject({ status: "completed", gpu_idxs: [0] });
  await world.nx(["kill", "-y", "--all-users", runs.id]);
  await world.waitFor(runs.id);
});

test("a reservation ends by itself, and what waited for it starts", async () => {
  await reserve("0,1", "--for", "2s", "--user", "ann");
  const { id } = await world.submit({ command: "true", user: "bob" });
  expect((await world.job(id)).status).toBe("queued");
  expect((await world.waitFor(id)).status).toBe("completed");
  expect((await world.nx(["reserve"])).stderr).toContain("No GPU is reserved");
});

test("before one begins a job starts there that is over by then, and none without a time limit from an hour before on", async () => {
  await reserve("0,1", "--for", "1h", "--from", "+30m", "--user", "ann");
  const long = await world.submit({ command: "true", user: "bob" });
  const short = await world.submit({ command: "true", user: "bob", time_limit_s: 600 });
  expect((await world.waitFor(short.id)).status).toBe("completed");
  expect((await world.job(long.id)).status).toBe("queued");
  expect((await world.nx([])).stdout).toMatch(/available, reserved for ann from .* until /);
  await unreserveAll();
  await waitUntil(async () => (await world.job(long.id)).status === "completed", "it starts");
});

test("a GPU's number ends the one reservation of it that is one's own, and an overlap names the other", async () => {
  const id = await reserve("1", "--for", "1h");
  const again = await world.nx(["reserve", "1", "--for", "5m"]);
  expect([again.exitCode, again.stderr]).toEqual([6, expect.stringContaining(`reservation ${id} of`)]);
  const other = await reserve("1", "--for", "1h", "--from", "+2h");
  const doubtful = await world.nx(["unreserve", "1"]);
  expect([doubtful.exitCode, doubtful.stderr]).toEqual([2, expect.stringContaining(`${id} or ${other}`)]);
  expect((await world.nx(["unreserve", other])).exitCode).toBe(0);
  expect((await world.nx(["unreserve", "1"])).stdout).toMatch(
    new RegExp(`^GPU 1 is no longer reserved .*\\(${id}\\)\n$`),
  );
  expect((await readGpus()).map(({ reservations }) => reservations)).toEqual([[], []]);
});

test.each([
  [["reserve", "0"], 2, "--for 4h"],
  [["reserve", "0", "--for", "4"], 2, "--for takes a time"],
  [["reserve", "0", "--for", "0s"], 2, "--for takes a time"],
  [["reserve", "x", "--for", "4h"], 2, "not a GPU's number"],
  [["reserve", "--for", "4h"], 2, "needs a GPU's number"],
  [["reserve", "0", "--for", "4h", "--from", "2h"], 2, "--from takes a time"],
  [["reserve", "0", "--for", "4h", "--from", "2020-01-01"], 2, "is past"],
  [["reserve", "9", "--for", "4h"], 5, "There is no GPU 9"],
  [["unreserve"], 2, "needs a reservation's id"],
  [["unreserve", "nosuch"], 5, "There is no reservation nosuch"],
  [["unreserve", "0"], 5, "GPU 0 is not reserved for"],
] as const)("nx %j is refused with %d, and nothing is reserved", async (words, exitCode, said) => {
  const refused = await world.nx(words);
  expect([refused.exitCode, refused.stderr]).toEqual([exitCode, expect.stringContaining(said)]);
  expect((await world.nx(["reserve", "-q"])).stdout).toBe("");
});

test("nx unreserve ends none where it knows one of its words not", async () => {
  const id = await reserve("0", "--for", "4h");
  const refused = await world.nx(["unreserve", id, "nosuch"]);
  expect([refused.exitCode, refused.stderr]).toEqual([5, expect.stringContaining("There is no reservation nosuch")]);
  expect((await world.nx(["reserve", "-q"])).stdout).toBe(`${id}\n`);
  await unreserveAll();
});

test("on a terminal what is said of a GPU goes on under its beginning, at words", async () => {
  await reserve("0", "--for", "4h", "--user", "ann", "--why", "a demo for those who visit the lab");
  const terminal = await openTmux({ env: world.env, cwd: world.home });
  try {
    terminal.type(`'${NX}'`);
    terminal.press("Enter");
    const shown = /^(.+)reserved for ann until\n +\S+ \S+ \S+ a\n +demo for those who visit the\n +lab\n/m;
    const [, start = ""] = shown.exec(await terminal.waitFor(shown)) ?? [];
    expect(terminal.screen()).toContain(`\n${" ".repeat(start.length)}demo for those who visit the`);
  } finally {
    terminal.close();
    await unreserveAll();
  }
});
