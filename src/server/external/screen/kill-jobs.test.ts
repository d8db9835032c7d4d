import { afterEach, beforeEach, expect, test } from "bun:test";
import { createFakeProcesses, type FakeProcesses } from "../../../../tests/support/fake-processes.ts";
import { type Bench, createBench, createStartingJob } from "../../../../tests/support/screen-bench.ts";
import { forceKillJobs } from "./kill-jobs.ts";

const LISTINGS_OF_A_CENSUS = 100;

let bench: Bench;

beforeEach(() => {
  bench = createBench();
});

afterEach(() => bench.dispose());

const job = createStartingJob();

const kill = ({ processes }: FakeProcesses) => forceKillJobs({ serverDir: bench.serverDir, processes }, [job]);

test("what a job starts while it is killed is killed with it", async () => {
  const fake: FakeProcesses = createFakeProcesses({ onKilled: (pid) => pid < 15 && fake.add(pid + 1, job.id) });
  fake.add(10, job.id);
  fake.add(20, "another");
  expect(await kill(fake)).toEqual({ ok: true, value: undefined });
  expect(fake.killed).toEqual([10, 11, 12, 13, 14, 15]);
});

test("a listing that lost sight of a process does not end the search for the job's", async () => {
  const fake = createFakeProcesses();
  const ghosts = 3 * LISTINGS_OF_A_CENSUS;
  let listings = 0;
  const listPids = (): readonly number[] => {
    listings += 1;
    if (listings === ghosts) fake.add(10, job.id);
    return fake.processes.listPids();
  };
  fake.haunt(ghosts);
  await kill({ ...fake, processes: { ...fake.processes, listPids } });
  expect(fake.killed).toEqual([10]);
});

test("a pid that was used again since it was found is left alone", async () => {
  const fake: FakeProcesses = createFakeProcesses({ onAsked: (pid) => fake.reuse(pid) });
  fake.add(10, job.id);
  expect(await kill(fake)).toEqual({ ok: true, value: undefined });
  expect(fake.killed).toEqual([]);
});

test("a process that can't be killed is told of, and keeps no other from it", async () => {
  const fake = createFakeProcesses();
  fake.add(10, job.id);
  fake.add(11, job.id);
  const forbidTen = (pid: number): void => {
    if (pid === 10) throw Object.assign(new Error("not permitted"), { code: "EPERM" });
    fake.processes.kill(pid, "SIGKILL");
  };
  const outcome = await kill({ ...fake, processes: { ...fake.processes, kill: forbidTen } });
  expect(outcome).toEqual({ ok: false, error: { message: expect.stringContaining("SIGKILL to process 10") } });
  expect(fake.killed).toEqual([11]);
});
