import { afterEach, beforeEach, expect, test } from "bun:test";
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  adoptForDisposal,
  type Bench,
  createBench,
  createStartingJob,
  createWork,
  launchJob,
  probeOne,
  waitForEnd,
} from "../../../../tests/support/screen-bench.ts";
import { letPass, waitUntil } from "../../../../tests/support/wait.ts";
import { createScreenExecutor } from "./screen-executor.ts";

let bench: Bench;

beforeEach(() => {
  bench = createBench();
});

afterEach(() => bench.dispose());

const SERVER = `
const { createScreenExecutor } = await import(process.argv[1]);
const { serverDir, job, work } = JSON.parse(process.argv[2]);
const launched = await createScreenExecutor({ serverDir }).launch(job, work);
console.log(JSON.stringify(launched));
setInterval(() => undefined, 1000);
`;

const serve = (job: ReturnType<typeof createStartingJob>) => {
  adoptForDisposal(job.id);
  const data = JSON.stringify({ serverDir: bench.serverDir, job, work: createWork(job) });
  const module = join(import.meta.dir, "screen-executor.ts");
  return Bun.spawn([process.execPath, "-e", SERVER, module, data], { stdout: "pipe", stdin: "ignore" });
};

test("a job outlives a server that is killed, and is finished as it says by the next one", async () => {
  const job = createStartingJob({ command: "until [ -e ../go ]; do sleep 0.01; done; exit 5" });
  const server = serve(job);
  const { value } = await server.stdout.getReader().read();
  const { value: handle } = JSON.parse(Buffer.from(value ?? []).toString());
  server.kill("SIGKILL");
  await server.exited;
  const next = createScreenExecutor({ serverDir: bench.serverDir });
  expect(await probeOne(next, job)).toEqual({ kind: "alive", handle });
  writeFileSync(join(bench.serverDir, "jobs", job.id, "go"), "");
  const end = await waitForEnd({ ...bench, executor: next }, job);
  const { mtimeMs } = statSync(join(bench.serverDir, "jobs", job.id, "exit_code"));
  expect(end).toEqual({ kind: "exited", exitCode: 5, processesLeft: 0, exitedAt: mtimeMs / 1000 });
});

test("a server killed at any instant of a launch: the job runs once or never", async () => {
  for (let delayMs = 0; delayMs < 60; delayMs += 6) {
    const job = createStartingJob({ command: "echo ran >> ../ran" });
    const server = serve(job);
    await waitUntil(() => readdirSync(bench.serverDir).includes("jobs") || server.exitCode !== null, "it launches");
    await letPass(delayMs);
    server.kill("SIGKILL");
    await server.exited;
    const next = createScreenExecutor({ serverDir: bench.serverDir });
    const end = await waitForFirst(next, job);
    const runs = await Bun.file(join(bench.serverDir, "jobs", job.id, "ran"))
      .text()
      .catch(() => "");
    expect([end, runs]).toEqual(end === "unstarted" ? [end, ""] : ["exited", "ran\n"]);
    await bench.dispose();
    bench = createBench();
  }
});

const waitForFirst = async (
  executor: Bench["executor"],
  job: ReturnType<typeof createStartingJob>,
): Promise<string> => {
  const isDecided = async (): Promise<boolean> => (await probeOne(executor, job)).kind !== "alive";
  await waitUntil(isDecided, "it is decided");
  return (await probeOne(executor, job)).kind;
};

test("watching many jobs holds no descriptor once it has stopped", async () => {
  const job = await launchJob(bench, createStartingJob({ command: "sleep 300" }));
  bench.executor.watch(job, () => undefined)();
  const before = readdirSync("/proc/self/fd").length;
  const stops = Array.from({ length: 50 }, () => bench.executor.watch(job, () => undefined));
  for (const stop of stops) stop();
  expect(readdirSync("/proc/self/fd").length).toBe(before);
});

const countReads = (): number => Number(/^syscr: (\d+)$/m.exec(readFileSync("/proc/self/io", "utf8"))?.[1]);

test("hundreds of live jobs are probed with a few reads each", async () => {
  const job = await launchJob(bench, createStartingJob({ command: "sleep 300" }));
  const jobs = Array.from({ length: 300 }, () => job);
  await bench.executor.probe(jobs);
  const before = countReads();
  await bench.executor.probe(jobs);
  expect(countReads() - before).toBeLessThan(jobs.length * 5);
});
