import { afterEach, beforeEach, expect, test } from "bun:test";
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { listProcessesOf } from "../../../../../tests/support/screen-bench.ts";
import { waitUntil } from "../../../../../tests/support/wait.ts";
import { PROC, takeCensus } from "./census.ts";

const CENSUSES = 300;
const BUSY_LOOPS = 3;
const LIMIT_MS = 120_000;

let folder: string;
let started: ChildProcess[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "nexus-census-"));
  started = [];
});

afterEach(async () => {
  writeFileSync(join(folder, "stop"), "");
  for (const child of started) child.kill("SIGKILL");
  await waitUntil(() => listProcessesOf(folder).length === 0, "they have ended");
  rmSync(folder, { recursive: true });
});

const run = async (script: string): Promise<void> => {
  const path = join(folder, "script");
  writeFileSync(path, script);
  started.push(spawn("bash", [path], { env: { PATH: process.env["PATH"], NEXUS_JOB_ID: folder }, stdio: "ignore" }));
  await waitUntil(() => listProcessesOf(folder).length > 0, "it runs");
};

const loadProcessors = (): void => {
  for (let count = 0; count < BUSY_LOOPS; count += 1)
    started.push(spawn("bash", ["-c", "while :; do :; done"], { env: {}, stdio: "ignore" }));
};

const countMisses = async (): Promise<number> => {
  let misses = 0;
  for (let round = 0; round < CENSUSES; round += 1) {
    const { labels, isWhole } = await takeCensus(PROC);
    if (isWhole && (labels.get(folder)?.size ?? 0) === 0) misses += 1;
  }
  return misses;
};

test(
  "a process that becomes one program after the other is never missed",
  async () => {
    await run('[ -e "$(dirname "$0")/stop" ] || exec bash "$0"');
    loadProcessors();
    expect(await countMisses()).toBe(0);
  },
  LIMIT_MS,
);

test(
  "a process that hands over to a child and ends, again and again, is never missed",
  async () => {
    await run('[ -e "${0%/*}/stop" ] && exit\nsetsid bash "$0" &\nexit');
    loadProcessors();
    expect(await countMisses()).toBe(0);
  },
  LIMIT_MS,
);

test("a process without an environment does not hold it up", async () => {
  started.push(spawn("sleep", ["60"], { env: {}, stdio: "ignore" }));
  const startedAt = performance.now();
  await takeCensus(PROC);
  expect(performance.now() - startedAt).toBeLessThan(1000);
});
