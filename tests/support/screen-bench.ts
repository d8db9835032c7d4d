import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type ActiveJob,
  type JobId,
  type RunningJob,
  type StartingJob,
  UNKNOWN_CODE,
} from "../../src/server/core/jobs/job.ts";
import type { Executor, JobWork, Observation } from "../../src/server/core/running/executor.ts";
import { nameDevices } from "../../src/server/core/running/job-devices.ts";
import { buildJobEnvironment } from "../../src/server/core/running/job-environment.ts";
import type { Environment } from "../../src/server/core/store.ts";
import { readProcess } from "../../src/server/external/screen/processes/process-table.ts";
import { createScreenExecutor } from "../../src/server/external/screen/screen-executor.ts";
import { createGpu } from "./samples.ts";
import { waitUntil } from "./wait.ts";

export type Bench = Readonly<{
  serverDir: string;
  executor: ReturnType<typeof createScreenExecutor>;
  dispose: () => Promise<void>;
}>;

const labelOf = (pid: string): string => {
  try {
    return /(?:^|\0)NEXUS_JOB_ID=([^\0]*)/.exec(readFileSync(`/proc/${pid}/environ`, "latin1"))?.[1] ?? "";
  } catch {
    return "";
  }
};

export const listProcessesOf = (id: string): readonly number[] =>
  readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && labelOf(name) === id)
    .map(Number);

const MAX_LOOKS = 100;

let counter = 0;

export const createStartingJob = (overrides: Partial<StartingJob> = {}): StartingJob => {
  counter += 1;
  const id = `t${process.pid}-${Date.now().toString(36)}-${counter}` as JobId;
  return {
    id,
    command: "true",
    user: "ada",
    artifactId: null,
    numGpus: 0,
    requestedGpuIdxs: [],
    priority: 0,
    integrations: [],
    notifications: [],
    envNames: [],
    jobrc: null,
    ignoreBlacklist: false,
    gitRepoUrl: null,
    gitBranch: null,
    gitTag: null,
    nodeName: "node",
    createdAt: Date.now() / 1000,
    requestDigest: "",
    code: UNKNOWN_CODE,
    outputGlobs: null,
    links: [],
    notes: [],
    status: "starting",
    startedAt: Date.now() / 1000 + counter / 1000,
    gpuIdxs: [],
    dir: "",
    markedForKill: false,
    ...overrides,
  };
};

const isScreen = (pid: number): boolean => readProcess(pid)?.name === "screen";

const tryKill = (pid: number, signal: "SIGTERM" | "SIGKILL" | null): void => {
  try {
    if (signal !== null) process.kill(pid, signal);
  } catch {
    return;
  }
};

const signalFor = (pid: number, round: number): "SIGTERM" | "SIGKILL" | null => {
  if (!isScreen(pid) || round > 120) return "SIGKILL";
  return round > 60 ? "SIGTERM" : null;
};

const killAllOf = (id: string): Promise<void> => {
  let round = 0;
  return waitUntil(() => {
    const pids = listProcessesOf(id);
    for (const pid of pids) tryKill(pid, signalFor(pid, round));
    round += 1;
    return pids.length === 0;
  }, `no process of ${id} is left`);
};

const started: string[] = [];

export const adoptForDisposal = (id: string): void => {
  started.push(id);
};

export const createBench = (): Bench => {
  const serverDir = mkdtempSync(join(tmpdir(), "nexus-screen-"));
  const dispose = async (): Promise<void> => {
    try {
      for (const id of started.splice(0)) await killAllOf(id);
    } finally {
      rmSync(serverDir, { recursive: true, force: true });
    }
  };
  return { serverDir, executor: createScreenExecutor({ serverDir }), dispose };
};

export const createWork = (
  job: StartingJob,
  env: Environment = {},
  artifact: Iterable<Uint8Array> | null = null,
): JobWork => ({
  environment: buildJobEnvironment(
    process.env,
    job,
    job.gpuIdxs.map((index) => createGpu(index)),
    env,
  ),
  devices: nameDevices(job.gpuIdxs.map((index) => createGpu(index))),
  input: null,
  artifact,
});

export const launchJob = async (
  bench: Bench,
  job: StartingJob,
  env: Environment = {},
  artifact: Iterable<Uint8Array> | null = null,
): Promise<RunningJob> => {
  started.push(job.id);
  const placed = { ...job, dir: join(bench.serverDir, "jobs", job.id) };
  const launched = await bench.executor.launch(job, createWork(placed, env, artifact));
  if (!launched.ok) throw new Error(launched.error.message);
  return { ...job, status: "running", handle: launched.value, wandbUrl: null, notificationMessages: {} };
};

/** What is seen of the job. A look that lost sight of a process of the machine tells nothing, so it is looked again. */
export const probeOne = async (executor: Executor, job: ActiveJob): Promise<Observation> => {
  for (let look = 0; look < MAX_LOOKS; look += 1) {
    const observation = (await executor.probe([job])).get(job.id);
    if (observation !== undefined) return observation;
  }
  throw new Error(`nothing observed of ${job.id}`);
};

export const waitForEnd = async (bench: Bench, job: ActiveJob): Promise<Observation> => {
  let observation = await probeOne(bench.executor, job);
  const isOver = async (): Promise<boolean> => {
    observation = await probeOne(bench.executor, job);
    return observation.kind === "lost" || (observation.kind === "exited" && observation.processesLeft === 0);
  };
  await waitUntil(isOver, `${job.id} has ended`);
  return observation;
};

export const readJobFile = (bench: Bench, job: ActiveJob, name: string): string => {
  const path = join(bench.serverDir, "jobs", job.id, name);
  return existsSync(path) ? readFileSync(path, "utf8") : "";
};
