import { afterEach, beforeEach, describe, expect, onTestFinished, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { createFakeProcesses, type FakeProcesses } from "../../../../tests/support/fake-processes.ts";
import { type Bench, createBench, createStartingJob } from "../../../../tests/support/screen-bench.ts";
import type { RunningJob } from "../../core/jobs/job.ts";
import type { Observation } from "../../core/running/executor.ts";
import { type JobPaths, locateJobFiles } from "../job-folder/job-paths.ts";
import { locateClaim } from "./job-files.ts";
import { forceKillJobs, MACHINE } from "./kill-jobs.ts";
import { probeJobs } from "./probe-jobs.ts";
import { readBootId } from "./processes/process-table.ts";

const ENDLESSLY = 1_000_000;
const NO_PROCESS = 4_000_000;

let bench: Bench;

beforeEach(() => {
  bench = createBench();
});

afterEach(() => bench.dispose());

const createRunningJob = (pid = NO_PROCESS): Readonly<{ job: RunningJob; paths: JobPaths }> => {
  const starting = createStartingJob();
  const paths = locateJobFiles(bench.serverDir, starting.id);
  mkdirSync(paths.dir, { recursive: true });
  const handle = { kind: "screen", session: "x", pid, startTicks: 1, bootId: readBootId() } as const;
  return { job: { ...starting, status: "running", handle, wandbUrl: null, notificationMessages: {} }, paths };
};

const probe = async (
  job: RunningJob,
  { processes }: Pick<FakeProcesses, "processes">,
): Promise<Observation | undefined> => (await probeJobs({ serverDir: bench.serverDir, processes }, [job])).get(job.id);

describe("a job whose session has ended without an exit code", () => {
  test.each([1, 2, 3])("and of which a process is seen at look %d is alive", async (look) => {
    const { job } = createRunningJob();
    let looks = 1;
    const fake: FakeProcesses = createFakeProcesses({
      onPause: () => {
        looks += 1;
        if (looks === look) fake.add(10, job.id);
      },
    });
    if (look === 1) fake.add(10, job.id);
    expect(await probe(job, fake)).toEqual({ kind: "alive", handle: job.handle });
    expect(looks).toBe(look);
  });

  test("and of which no process is seen is lost after the third look", async () => {
    const { job } = createRunningJob();
    let pauses = 0;
    const fake = createFakeProcesses({ onPause: () => (pauses += 1) });
    expect(await probe(job, fake)).toMatchObject({ kind: "lost" });
    expect(pauses).toBe(2);
  });

  test("but writes one between two looks has ended as that says", async () => {
    const { job, paths } = createRunningJob();
    const fake = createFakeProcesses({ onPause: () => writeFileSync(paths.exitCode, "0\n") });
    expect(await probe(job, fake)).toMatchObject({ kind: "exited", exitCode: 0, processesLeft: 0 });
  });

  test("is not told of while listings lose sight of processes, unless one of its own is seen", async () => {
    const [unseen, seen] = [createRunningJob().job, createRunningJob().job];
    const fake = createFakeProcesses();
    fake.haunt(ENDLESSLY);
    fake.add(10, seen.id);
    const { serverDir } = bench;
    const told = await probeJobs({ serverDir, processes: fake.processes }, [unseen, seen]);
    expect([...told]).toEqual([[seen.id, { kind: "alive", handle: seen.handle }]]);
  });
});

test("a job with an exit code has not left nothing behind as long as listings lose sight of processes", async () => {
  const { job, paths } = createRunningJob();
  writeFileSync(paths.exitCode, "3\n");
  const fake = createFakeProcesses();
  fake.haunt(ENDLESSLY);
  expect(await probe(job, fake)).toBeUndefined();
  fake.haunt(0);
  expect(await probe(job, fake)).toMatchObject({ kind: "exited", exitCode: 3, processesLeft: 0 });
});

test("a process that has the pid of the job's session by now is not the job's: the job is lost, and the process left alone", async () => {
  const stranger = Bun.spawn(["sleep", "300"], { stdout: "ignore" });
  onTestFinished(() => stranger.kill("SIGKILL"));
  const { job } = createRunningJob(stranger.pid);
  const killed: number[] = [];
  const processes = { ...MACHINE, kill: (pid: number) => void killed.push(pid) };
  expect(await probe(job, { processes })).toMatchObject({ kind: "lost" });
  await forceKillJobs({ serverDir: bench.serverDir, processes }, [job]);
  expect(killed).toEqual([]);
});

test("a launch that can't be taken back for sure is not told of as one that never was", async () => {
  const job = createStartingJob();
  const paths = locateJobFiles(bench.serverDir, job.id);
  mkdirSync(`${locateClaim(paths, job)}.new`, { recursive: true });
  expect([...(await bench.executor.probe([job]))]).toEqual([]);
});
