import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { listProcessesWith } from "../../support/programs.ts";
import { waitUntil } from "../../support/wait.ts";
import { createWorld, type World } from "../../support/world.ts";

const GRACE_MS = 10_000;
const AN_HOUR = "3600";

let world: World;

beforeEach(async () => {
  world = await createWorld();
});

afterEach(() => world.dispose());

const waitForFile = (path: string): Promise<void> => waitUntil(() => existsSync(path), `${path} is there`);

describe("a job that ends by itself", () => {
  test.each([
    ["succeeds", "echo out; exit 0", 0, "completed", null],
    ["fails", "echo out; exit 3", 3, "failed", "Job failed with exit code 3"],
    ["dies of a signal", "echo out; kill -SEGV $$", 139, "failed", expect.stringContaining("SIGSEGV")],
  ])("%s: nx run, logs, get and wait agree", async (_how, command, exitCode, status, message) => {
    await world.startServer();
    const run = await world.nx(["run", "--no-git", command]);
    const id = /Job (\S+) runs/.exec(run.stderr)?.[1] ?? "";
    expect([run.exitCode, run.stdout]).toEqual([exitCode, `${command}\nout\n`]);
    const [logs, got, wait] = await Promise.all([
      world.nx(["logs", id]),
      world.nx(["get", id, "--json"]),
      world.nx(["wait", id]),
    ]);
    expect([logs.exitCode, logs.stdout]).toEqual([0, run.stdout]);
    expect(JSON.parse(got.stdout)).toMatchObject({ id, status, exit_code: exitCode, error_message: message });
    expect(wait.exitCode).toBe(exitCode);
  });

  test.each([
    ["a typo", "pyhton train.py", 127, "There is no command pyhton on the job's PATH"],
    [
      "a file that may not be executed",
      "touch t.sh; ./t.sh",
      126,
      "./t.sh may not be executed: chmod +x it, or name its",
    ],
    ["a signal", "kill -KILL $$", 137, "terminated by signal 9 (SIGKILL)"],
  ])("of %s: each verb that tells of its end says why, and nothing twice", async (_what, command, exitCode, reason) => {
    await world.startServer();
    const run = await world.nx(["run", "-c", "--no-git", command]);
    const id = /Job (\S+) runs/.exec(run.stderr)?.[1] ?? "";
    const asked = [["wait", id], ["logs", "-F", id], ["get", id], ["history"], ["wait", "--json", id]];
    const told = [run, ...(await Promise.all(asked.map((words) => world.nx(words))))];
    for (const { stdout, stderr } of told) expect(stdout + stderr).toContain(reason);
    for (const { stdout, stderr } of told.slice(0, 5))
      expect((stdout + stderr).match(/Job failed with|with exit code|was terminated/g)?.length ?? 0).toBeLessThan(2);
    expect([run.exitCode, told[1]?.exitCode]).toEqual([exitCode, exitCode]);
  });

  test("at the same moment as others is noticed with them, and their GPUs go to the next, no timer needed", async () => {
    await world.startServer({ NS_REFRESH_RATE: AN_HOUR });
    const go = join(world.folder, "go");
    const began = (number: number): string => join(world.folder, `began-${number}`);
    const work = (number: number): string => `touch ${began(number)}; until [ -e ${go} ]; do :; done; exit ${number}`;
    const first = [];
    for (const number of [1, 2, 3]) {
      first.push(await world.submit({ command: work(number), num_gpus: number === 3 ? 0 : 1 }));
    }
    const next = [await world.submit({ command: "exit 4" }), await world.submit({ command: "exit 5" })];
    for (const number of [1, 2, 3]) await waitForFile(began(number));
    writeFileSync(go, "");
    const ended = [];
    for (const { id } of [...first, ...next]) ended.push(await world.waitFor(id));
    expect(ended.map((job) => job.exit_code)).toEqual([1, 2, 3, 4, 5]);
    expect(ended.map((job) => job.gpu_idxs.length)).toEqual([1, 1, 0, 1, 1]);
  });
});

test("processes that a job leaves running are ended with it, and it says how many and which wherever one asks", async () => {
  await world.startServer();
  const command = "nohup sleep 300 >/dev/null 2>&1 & setsid bash -c 'trap : TERM; exec -a other sleep 301' & sleep 0.3";
  const run = await world.nx(["run", "-c", "--no-git", command]);
  const note = "2 processes it had left running were ended with its command: sleep (2)";
  const id = /Job (\S+) runs/.exec(run.stderr)?.[1] ?? "";
  expect([run.exitCode, run.stderr]).toEqual([0, expect.stringContaining(note)]);
  expect((await world.job(id)).notes).toEqual([note]);
  for (const words of [
    ["get", id],
    ["logs", id],
  ]) {
    const { stdout, stderr } = await world.nx(words);
    expect(stdout + stderr).toContain(note);
  }
  expect(listProcessesWith(`NEXUS_JOB_ID=${id}`)).toEqual([]);
});

test.each([
  [
    "that its terminal's end would have ended",
    "sleep 300 &",
    "1 process it had left running was ended with its command: sleep",
  ],
  [
    "the moment before its own end",
    "nohup sleep 300 >/dev/null 2>&1 &",
    "1 process it had left running was ended with its command: sleep",
  ],
  [
    "after a while, under any name",
    `cp "$(command -v sleep)" ') S 1'; sleep 2; for n in 1 2; do './) S 1' 300 & done`,
    "2 processes it had left running were ended with its command: ) S 1 (2)",
  ],
  ["and nothing else", "(sleep 300 & kill $!) & wait; true | cat", null],
])("a job says of processes that it leaves %s", async (_, command, note) => {
  await world.startServer();
  const { id } = await world.submit({ command });
  const ended = await world.waitFor(id);
  expect([ended.status, ended.notes]).toEqual(["completed", note === null ? [] : [note]]);
  await waitUntil(() => listProcessesWith(`NEXUS_JOB_ID=${id}`).length === 0, "the session has wound down too");
});

describe("a job that is killed", () => {
  test("leaves no process behind and its GPU free, though it and its daemon ignore TERM", async () => {
    await world.startServer();
    const daemon = join(world.folder, "daemon");
    const stubborn = "trap '' TERM; while :; do sleep 0.1; done";
    const command = `setsid bash -c "echo \\$\\$ > ${daemon}; ${stubborn}" & trap '' TERM; ${stubborn}`;
    const [id = ""] = (await world.nx(["run", "-d", "-q", "--no-git", "-i", "0", command])).stdout.split("\n");
    await waitForFile(daemon);
    const label = `NEXUS_JOB_ID=${id}`;
    expect(listProcessesWith(label).length).toBeGreaterThanOrEqual(3);
    const killedAt = performance.now();
    expect((await world.nx(["kill", "-y", id])).exitCode).toBe(0);
    const refused = await world.nx(["run", "-d", "--no-git", "-i", "0", "true"]);
    expect(refused.exitCode).toBe(6);
    const killed = await world.waitFor(id);
    expect(performance.now() - killedAt).toBeGreaterThanOrEqual(GRACE_MS * 0.9);
    expect(listProcessesWith(label)).toEqual([]);
    expect([killed.status, killed.exit_code, killed.error_message]).toEqual(["killed", null, null]);
    const { pid } = killed;
    expect(pid === null || existsSync(`/proc/${pid}`)).toBe(false);
    expect((await world.nx(["run", "--no-git", "-i", "0", "exit 9"])).exitCode).toBe(9);
  }, 30_000);
});
