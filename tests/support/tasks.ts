import { onTestFinished } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { err, ok, type Problem, type Result } from "../../src/base/result.ts";
import type { Wakes } from "../../src/server/changes/context.ts";
import type { ActiveJob, ArtifactId, Job, JobHandle, JobId, QueuedJob } from "../../src/server/core/jobs/job.ts";
import { applyJobEvent, type JobEvent } from "../../src/server/core/jobs/job-transition.ts";
import type { ReadDiskRoom } from "../../src/server/core/machine/disk-room.ts";
import type { HostStats } from "../../src/server/core/machine/host.ts";
import type { LaunchTrouble } from "../../src/server/core/machine/launch-trouble.ts";
import { JOB_CHANNELS } from "../../src/server/core/notices/channels.ts";
import type { Channel } from "../../src/server/core/notices/plan-notices.ts";
import type { GpuProbe } from "../../src/server/core/queue/gpu.ts";
import type {
  Executor,
  JobDirectory,
  JobWork,
  Observation,
  WandbFinder,
} from "../../src/server/core/running/executor.ts";
import type { FindInputWaits } from "../../src/server/core/running/input-wait.ts";
import type { JobOutputs } from "../../src/server/core/running/outputs.ts";
import type { Environment, Store } from "../../src/server/core/store.ts";
import type { Log } from "../../src/server/core/telemetry/log.ts";
import type { Backups } from "../../src/server/core/upkeep/backups.ts";
import { createJobFolders } from "../../src/server/external/job-folder/folder-sizes.ts";
import { createJobDirectory } from "../../src/server/external/job-folder/job-directory.ts";
import { createJobOutputs } from "../../src/server/external/job-folder/outputs/job-outputs.ts";
import { createUseFiles } from "../../src/server/external/job-folder/use/use-files.ts";
import { openStore } from "../../src/server/external/sqlite/open-store.ts";
import { createMeter } from "../../src/server/external/telemetry/meter.ts";
import type { TaskContext } from "../../src/server/tasks/context.ts";
import { createAlarms, createWakes, startTasks } from "../../src/server/tasks/start-tasks.ts";
import { readFigure } from "./parse-exposition.ts";
import { createGpu, createQueued } from "./samples.ts";
import { waitUntil } from "./wait.ts";

export type LogLine = Readonly<{ level: keyof Log; event: string; fields: Record<string, unknown> }>;

export type FakeExecutor = Executor &
  Readonly<{
    launches: { id: string; gpuIdxs: readonly number[]; command: string; work: JobWork }[];
    kills: { ids: readonly string[]; force: boolean }[];
    probed: Set<string>;
    warned: string[];
    place: (id: string, seen: Observation) => void;
    end: (id: string, exitCode: number, processesLeft?: number) => void;
  }>;

export type StartedTasks = Readonly<{ wakes: Wakes; stop: () => Promise<void> }>;

export type JobTask = "running jobs" | "queued CPU jobs" | "queued GPU jobs";

/** After `awaitRound` each of these tasks has run from its begin to its end since: what it has not done then, it does not do. */
export type Harness = Readonly<{
  context: TaskContext;
  store: Store;
  executor: FakeExecutor;
  logs: LogLine[];
  setTime: (time: number) => void;
  setClockBack: (seconds: number) => void;
  add: (...jobs: readonly QueuedJob[]) => Promise<void>;
  change: (id: string, event: JobEvent) => Promise<void>;
  find: (id: string) => Job;
  start: () => Promise<StartedTasks>;
  countRuns: (task: JobTask) => number;
  awaitRound: (tasks?: readonly JobTask[]) => Promise<void>;
}>;

export type Overrides = Readonly<{
  gpus?: GpuProbe["read"];
  executor?: Partial<Executor>;
  settings?: Partial<TaskContext["settings"]>;
  serverEnvironment?: Environment;
  health?: HostStats;
  readDiskRoom?: ReadDiskRoom;
  trouble?: LaunchTrouble;
  jobDirectory?: JobDirectory;
  outputs?: Partial<JobOutputs>;
  wandb?: WandbFinder;
  findInputWaits?: FindInputWaits;
  channels?: readonly Channel[];
  log?: string;
  measureLog?: TaskContext["logs"]["measure"];
  backups?: Backups;
  store?: (store: Store) => Partial<Store>;
}>;

const HOUR_S = 3600;
const JOB_TASKS: readonly JobTask[] = ["running jobs", "queued CPU jobs", "queued GPU jobs"];

export const toId = (id: string): JobId => id as JobId;

export const handleOf = (id: string): JobHandle => ({
  kind: "screen",
  session: `nexus_job_${id}`,
  pid: 1,
  startTicks: 1,
  bootId: "boot",
});

export const must = <Value>(result: Result<Value, Problem>): Value => {
  if (!result.ok) throw new Error(result.error.message);
  return result.value;
};

export const wakeAll = ({ wakes }: Readonly<{ wakes: Wakes }>): void => {
  wakes.running();
  wakes.queues();
};

/** Lets all that is due now happen, the writes of the store included. */
export const settle = async (): Promise<void> => {
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
};

export const readMockGpus =
  (count: number): GpuProbe["read"] =>
  async () =>
    ok(Array.from({ length: count }, (_, index) => createGpu(index)));

export const createExecutor = (): FakeExecutor => {
  const seen = new Map<string, Observation>();
  const watches = new Map<string, () => void>();
  const launches: FakeExecutor["launches"] = [];
  const kills: FakeExecutor["kills"] = [];
  const probed: FakeExecutor["probed"] = new Set();
  const warned: string[] = [];
  const lookUp = (job: ActiveJob): Observation => seen.get(job.id) ?? { kind: "unstarted" };
  return {
    launches,
    kills,
    probed,
    warned,
    place: (id, observation) => void seen.set(id, observation),
    end: (id, exitCode, processesLeft = 0) => {
      seen.set(id, { kind: "exited", exitCode, processesLeft });
      watches.get(id)?.();
    },
    launch: async (job, work) => {
      launches.push({ id: job.id, gpuIdxs: job.gpuIdxs, command: job.command, work });
      seen.set(job.id, { kind: "alive", handle: handleOf(job.id) });
      return ok(handleOf(job.id));
    },
    probe: async (jobs) => {
      for (const { id } of jobs) probed.add(id);
      return new Map(jobs.map((job) => [job.id, lookUp(job)]));
    },
    kill: async (jobs, force) => {
      kills.push({ ids: jobs.map((job) => job.id), force });
      return ok(undefined);
    },
    warn: async (jobs) => {
      warned.push(...jobs.map(({ id }) => id));
      return ok(undefined);
    },
    watch: (job, onChange) => {
      watches.set(job.id, onChange);
      return () => void watches.delete(job.id);
    },
    attachCommand: () => [],
    fitCommand: () => [],
  };
};

const createLog = (lines: LogLine[]): Log => ({
  debug: (event, fields = {}) => void lines.push({ level: "debug", event, fields }),
  info: (event, fields = {}) => void lines.push({ level: "info", event, fields }),
  warn: (event, fields = {}) => void lines.push({ level: "warn", event, fields }),
  error: (event, fields = {}) => void lines.push({ level: "error", event, fields }),
});

const NO_BACKUPS: Backups = { listTimes: () => [], make: async () => ok("none"), remove: async () => undefined };

const WELL: HostStats = { read: async () => ({ disk: null, network: null, system: null }) };

const KEPT = { retentionDays: 30, artifactGb: 10 } as const;

/** The tasks on a real store in a temporary folder; its timers are an hour apart unless told otherwise. */
export const createHarness = (overrides: Overrides = {}): Harness => {
  const serverDir = mkdtempSync(join(tmpdir(), "nexus-tasks-"));
  let now = 1000;
  let setBack = 0;
  const clock = (): number => now - setBack;
  const opened = must(openStore({ serverDir, clock }));
  const store = { ...opened, ...overrides.store?.(opened) };
  const executor = { ...createExecutor(), ...overrides.executor };
  const logs: LogLine[] = [];
  const alarms = createAlarms();
  const readGpus = overrides.gpus ?? readMockGpus(2);
  const context: TaskContext = {
    store,
    executor,
    gpus: { isMock: true, read: readGpus, readNow: () => readGpus(0), readHint: () => null, stop: () => undefined },
    jobDirectory: overrides.jobDirectory ?? createJobDirectory(serverDir),
    outputs: { ...createJobOutputs(serverDir), ...overrides.outputs },
    logs: {
      readTail: async () => Buffer.from(overrides.log ?? ""),
      measure: overrides.measureLog ?? (async () => null),
    },
    useCourses: createUseFiles(serverDir),
    readDiskRoom: overrides.readDiskRoom ?? (async () => null),
    trouble: overrides.trouble ?? { read: () => null, find: async () => null },
    clock,
    uptime: () => now,
    readBootTime: () => ({ bootId: "boot", s: now }),
    log: createLog(logs),
    meter: createMeter(),
    serverEnvironment: overrides.serverEnvironment ?? {},
    channels: overrides.channels ?? JOB_CHANNELS,
    wakes: createWakes(alarms),
    settings: {
      refreshRate: HOUR_S,
      maxCpuJobs: 4,
      maxPassedOver: 1800,
      vramEnforce: true,
      idleWarn: null,
      idleEnd: null,
      nodeName: "atlas",
      ...KEPT,
      ...overrides.settings,
    },
  };
  const stops: (() => Promise<void>)[] = [];
  onTestFinished(async () => {
    await Promise.all(stops.map((stop) => stop()));
    await settle();
    await opened.close();
    rmSync(serverDir, { recursive: true });
  });
  const countRuns = (task: JobTask): number =>
    readFigureOf({ context }, "nexus_task_duration_seconds_count", { task }) ?? 0;
  return {
    context,
    store: opened,
    executor,
    logs,
    countRuns,
    awaitRound: async (tasks = JOB_TASKS) => {
      const before = tasks.map(countRuns);
      await waitUntil(() => {
        wakeAll(context);
        return tasks.every((task, index) => countRuns(task) >= (before[index] ?? 0) + 2);
      });
    },
    setClockBack: (seconds) => {
      setBack = seconds;
    },
    setTime: (time) => {
      now = time;
    },
    add: async (...jobs) => {
      const insert = opened.write((transaction) => {
        for (const job of jobs) transaction.insertJob(job, { KEY: `value of ${job.id}` });
      });
      must(await insert);
    },
    change: async (id, event) => {
      const save = opened.write((transaction) => {
        const job = transaction.findJob(toId(id));
        if (job === null) throw new Error(`${id} is gone`);
        transaction.saveJob(must(applyJobEvent(job, event)));
      });
      must(await save);
    },
    find: (id) => {
      const job = opened.findJob(toId(id));
      if (job === null) throw new Error(`${id} is gone`);
      return job;
    },
    start: async () => {
      const stop = await startTasks(context, alarms, {
        health: overrides.health ?? WELL,
        findInputWaits: overrides.findInputWaits ?? (async () => new Map()),
        wandb: overrides.wandb ?? { find: async () => null },
        office: { couriers: {}, timeoutMs: 300, random: () => 0 },
        backups: overrides.backups ?? NO_BACKUPS,
        folders: createJobFolders(serverDir),
        retention: { days: 30, bytes: null },
      });
      stops.push(stop);
      return { wakes: context.wakes, stop };
    },
  };
};

export const readFigureOf = (
  { context: { meter, store } }: Pick<Harness, "context">,
  name: string,
  labels: Readonly<Record<string, string>> = {},
): number | undefined => {
  const [artifacts, jobs] = [store.artifacts.measure(), store.countJobs()];
  const figures = {
    version: "",
    nodeName: "",
    jobs,
    gpus: [],
    artifacts,
    certificateExpiresAt: null,
    channels: [],
  };
  return readFigure(meter.render(figures), name, labels);
};

export const createCpuJob = (id: string, overrides: Partial<QueuedJob> = {}): QueuedJob =>
  createQueued(id, { numGpus: 0, ...overrides });

export const uploadArtifact = async (store: Store, bytes: Uint8Array): Promise<ArtifactId> => {
  const writer = store.artifacts.begin(null);
  must(await writer.append(bytes));
  return must(await writer.finish());
};

export const refuseLaunch = async (): ReturnType<Executor["launch"]> => err({ message: "no space left" });
