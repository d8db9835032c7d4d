import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { isGapless, readNumbers, renderCounter } from "../../../../../tests/support/numbered-lines.ts";
import {
  type Bench,
  createBench,
  createStartingJob,
  launchJob,
  probeOne,
  waitForEnd,
} from "../../../../../tests/support/screen-bench.ts";
import { waitUntil } from "../../../../../tests/support/wait.ts";
import type { RunningJob } from "../../../core/jobs/job.ts";
import { createLogFile } from "../../job-folder/log-file.ts";
import { createScreenExecutor } from "../screen-executor.ts";

const MAX_LOG_GB = 0.002;
const MAX_BYTES = MAX_LOG_GB * 1e9;
const BLOCK_BYTES = 512;
const LINES = 400_000;

let bench: Bench;
let tools: string;

const createBenchWith = (options: Readonly<{ maxLogGb?: number }>): Bench => {
  const { serverDir, dispose } = createBench();
  tools = join(serverDir, "tools");
  mkdirSync(tools);
  const serverEnv = { ...process.env, PATH: `${tools}:${process.env["PATH"]}` };
  return { serverDir, executor: createScreenExecutor({ serverDir, serverEnv, ...options }), dispose };
};

beforeEach(() => {
  bench = createBenchWith({ maxLogGb: MAX_LOG_GB });
});

afterEach(() => bench.dispose());

const putTool = (name: string, script: string): void => {
  writeFileSync(join(tools, name), `#!/bin/bash\n${script}\n`);
  chmodSync(join(tools, name), 0o755);
};

const start = (command: string): Promise<RunningJob> => launchJob(bench, createStartingJob({ command }));

const pathIn = ({ id }: RunningJob, name: string): string => join(bench.serverDir, "jobs", id, name);

const measureLog = (job: RunningJob): number => {
  const log = statSync(pathIn(job, "output.log"), { throwIfNoEntry: false });
  return (log?.blocks ?? 0) * BLOCK_BYTES;
};

const followToEnd = (job: RunningJob): Promise<string> =>
  new Response(createLogFile(bench.serverDir).follow(job.id, null, () => true)).text();

const readTail = async (job: RunningJob, lines: number | null): Promise<string> =>
  Buffer.from(await createLogFile(bench.serverDir).readTail(job.id, lines)).toString();

const expectBothEnds = (shown: string, last: number): void => {
  const parts = readNumbers(shown);
  expect(parts).toHaveLength(2);
  expect(parts.map(isGapless)).toEqual([true, true]);
  expect([parts[0]?.[0], parts[1]?.at(-1)]).toEqual([0, last]);
  expect((parts[0] ?? []).length * 13).toBeGreaterThan(MAX_BYTES / 5);
  expect((parts[1] ?? []).length * 13).toBeGreaterThan(MAX_BYTES / 3);
};

describe("the log of a job that prints more than it may", () => {
  test("keeps its beginning and its newest part, within the limit at all times, and says what was left out", async () => {
    const job = await start(`${renderCounter(LINES, 5_000, "sleep 0.02")}; exit 3`);
    let most = 0;
    await waitUntil(async () => {
      most = Math.max(most, measureLog(job));
      return (await probeOne(bench.executor, job)).kind === "exited";
    }, "it has ended");
    expect(await waitForEnd(bench, job)).toMatchObject({ kind: "exited", exitCode: 3 });
    expect(most).toBeLessThan(1.25 * MAX_BYTES);
    expect(measureLog(job)).toBeLessThanOrEqual(MAX_BYTES);
    const shown = await followToEnd(job);
    expectBothEnds(shown, LINES - 1);
    expect(shown).toMatch(/\[Nexus left out [\d.]+ MB here: the log is larger than max_log_gb\]/);
    expect(shown).toEndWith('[COMMAND_EXIT_CODE="3"]\n');
    expect((await readTail(job, 5)).split("\r\n").slice(0, 2)).toEqual([LINES - 3, LINES - 2].map((n) => `00000${n}`));
    expect(readNumbers(await readTail(job, null))).toEqual(readNumbers(shown));
    expect(readFileSync(pathIn(job, "error.log"), "utf8")).toBe("");
  }, 90_000);

  test("that ends right after it has printed it is within the limit too", async () => {
    const job = await start(`sleep 0.3; ${renderCounter(LINES / 2)}`);
    await waitUntil(async () => (await probeOne(bench.executor, job)).kind === "exited", "it has ended");
    expect(measureLog(job)).toBeLessThanOrEqual(MAX_BYTES);
    expectBothEnds(await followToEnd(job), LINES / 2 - 1);
  }, 90_000);

  const PASS_TRIAL = `[[ "$*" == *"--length 4096"* ]] && exit 0`;
  const REAL = `PATH=\${PATH#*:} fallocate "$@"`;
  const DEATHS: readonly (readonly [string, string])[] = [
    ["before its bytes are given up", `${PASS_TRIAL}\nkill -KILL $PPID`],
    ["after that", `${PASS_TRIAL}\n${REAL}\nkill -KILL $PPID`],
    ["before anything was left out", `kill -KILL $PPID`],
  ];

  test.each(DEATHS)(
    "is shown as it should be when the session dies %s",
    async (_when, script) => {
      putTool("fallocate", script);
      const job = await start(renderCounter(LINES, 20_000, "sleep 0.05"));
      await waitUntil(async () => (await probeOne(bench.executor, job)).kind === "lost", "it is lost");
      const shown = await followToEnd(job);
      const parts = readNumbers(shown);
      expect(parts.map(isGapless)).toEqual(parts.map(() => true));
      expect(parts[0]?.[0]).toBe(0);
      expect(parts).toHaveLength(script.includes("4096") ? 2 : 1);
      expect(readNumbers(await readTail(job, null))).toEqual(parts);
    },
    90_000,
  );

  test("is within the limit, and its error.log empty, though the recorder dies while something is left out", async () => {
    const dead = "read -r recorder _ < /proc/$PPID/task/$PPID/children && kill -KILL $recorder";
    const gone = "while read -r _ _ state _ < /proc/$recorder/stat && [ $state != Z ]; do :; done 2> /dev/null";
    putTool("fallocate", `[ -e killed ] || { ${dead}; : > killed; ${gone}; }\n${REAL}`);
    const job = await start(renderCounter(LINES, 20_000, "sleep 0.05"));
    await waitUntil(async () => (await probeOne(bench.executor, job)).kind !== "alive", "it has ended");
    expect(readFileSync(pathIn(job, "error.log"), "utf8")).toBe("");
    expect(measureLog(job)).toBeLessThanOrEqual(MAX_BYTES);
    expect(readNumbers(await followToEnd(job))).toHaveLength(2);
  }, 90_000);

  test("grows on, and its error.log says why, on a file system that takes nothing out of a file", async () => {
    putTool("fallocate", "echo 'fallocate: fallocate failed: Operation not supported' >&2; exit 1");
    const job = await start(renderCounter(LINES / 2, 10_000, "sleep 0.01"));
    await waitUntil(async () => (await probeOne(bench.executor, job)).kind === "exited", "it has ended");
    const parts = readNumbers(await followToEnd(job));
    expect([parts.length, parts[0]?.length, parts.map(isGapless)]).toEqual([1, LINES / 2, [true]]);
    const said = readFileSync(pathIn(job, "error.log"), "utf8");
    expect(said.match(/can not be kept within max_log_gb/g)).toHaveLength(1);
  }, 90_000);
});

test("a job that prints less starts no process for it, while it runs or at its end", async () => {
  await bench.dispose();
  bench = createBenchWith({});
  for (const name of ["fallocate", "stat"]) putTool(name, `: > ${join(bench.serverDir, `${name}-was-called`)}`);
  const job = await start("seq 20; sleep 0.5; seq 20");
  expect(await waitForEnd(bench, job)).toMatchObject({ kind: "exited", exitCode: 0 });
  for (const name of ["fallocate", "stat"]) expect(existsSync(join(bench.serverDir, `${name}-was-called`))).toBe(false);
});
