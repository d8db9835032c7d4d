import { onTestFinished } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Problem, Result } from "../../src/base/result.ts";
import type { Clock } from "../../src/server/core/clock.ts";
import {
  type ArtifactId,
  type EndedJob,
  type Job,
  type JobHandle,
  type JobId,
  NO_OUTPUTS,
  type QueuedJob,
  type RunningJob,
  type StartingJob,
  UNKNOWN_CODE,
} from "../../src/server/core/jobs/job.ts";
import type { JobFilter, Store } from "../../src/server/core/store.ts";
import { openStore } from "../../src/server/external/sqlite/open-store.ts";
import { ROOT } from "./programs.ts";

export const makeFolder = (): string => {
  const folder = mkdtempSync(join(tmpdir(), "nexus-store-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return folder;
};

export const must = <Value>(result: Result<Value, Problem>): Value => {
  if (!result.ok) throw new Error(result.error.message);
  return result.value;
};

export const openIn = (serverDir: string, clock: Clock = () => 1000): Store => {
  const store = must(openStore({ serverDir, clock }));
  onTestFinished(() => store.close());
  return store;
};

export const openTemporary = (clock?: Clock): Store => openIn(makeFolder(), clock);

export const toId = (id: string): JobId => id as JobId;

export const createQueued = (id: string, fields: Partial<QueuedJob> = {}): QueuedJob => ({
  id: toId(id),
  status: "queued",
  command: `echo ${id}`,
  user: "ada",
  artifactId: null,
  numGpus: 1,
  requestedGpuIdxs: [],
  priority: 0,
  integrations: ["wandb"],
  notifications: ["discord"],
  envNames: ["TOKEN"],
  jobrc: "set -x",
  ignoreBlacklist: true,
  gitRepoUrl: "https://example.com/repo",
  gitBranch: "main",
  gitTag: "v1",
  nodeName: "atlas",
  createdAt: 1_700_000_000.123456,
  requestDigest: "abc",
  code: UNKNOWN_CODE,
  outputGlobs: null,
  links: [],
  notes: [],
  ...fields,
});

const HANDLE: JobHandle = { kind: "screen", session: "nexus_job_a", pid: 42, startTicks: 7, bootId: "b" };

export const createStarting = (id: string, fields: Partial<StartingJob> = {}): StartingJob => ({
  ...createQueued(id),
  status: "starting",
  startedAt: 1_700_000_001.5,
  gpuIdxs: [0],
  dir: `/jobs/${id}`,
  markedForKill: false,
  ...fields,
});

export const createRunning = (id: string, fields: Partial<RunningJob> = {}): RunningJob => ({
  ...createStarting(id),
  status: "running",
  handle: HANDLE,
  wandbUrl: "https://wandb.ai/e/p/runs/r",
  notificationMessages: { discord_start_job: "1" },
  ...fields,
});

export const createEnded = (id: string, fields: Partial<EndedJob> = {}): EndedJob => ({
  ...createRunning(id),
  envNames: [],
  status: "completed",
  completedAt: 1_700_000_002.25,
  exitCode: 0,
  errorMessage: null,
  outputs: NO_OUTPUTS,
  ...fields,
});

type AnyJob = QueuedJob | StartingJob | RunningJob | EndedJob;

export const addJobs = async (store: Store, jobs: readonly AnyJob[]): Promise<void> => {
  const change = store.write((transaction) => {
    for (const job of jobs) {
      transaction.insertJob(createQueued(job.id), {});
      transaction.saveJob(job);
    }
  });
  must(await change);
};

export const upload = async (store: Store, bytes: Uint8Array, gitSha: string | null = null): Promise<ArtifactId> => {
  const writer = store.artifacts.begin(gitSha);
  must(await writer.append(bytes));
  return must(await writer.finish());
};

const STORE_PATH = join(ROOT, "src/server/external/sqlite/open-store.ts");

type Child = Bun.Subprocess<"ignore", "pipe", "inherit">;

/** Runs the code in a bun of its own, with `store`, `say`, `must` and `createQueued` at hand. */
export const spawnWithStore = (serverDir: string, code: string, wrapper: readonly string[] = []): Child => {
  const program = `
    import { writeSync, readFileSync } from "node:fs";
    import { openStore } from ${JSON.stringify(STORE_PATH)};
    const createQueued = (id) => ({ ...${JSON.stringify(createQueued("x"))}, id });
    const say = (text) => writeSync(1, text + "\\n");
    const must = (result) => { if (!result.ok) throw new Error(result.error.message); return result.value; };
    const store = must(openStore({ serverDir: ${JSON.stringify(serverDir)}, clock: () => 1000 }));
    ${code}`;
  const child = Bun.spawn([...wrapper, process.execPath, "-e", program], { stdout: "pipe", stderr: "inherit" });
  onTestFinished(async () => {
    child.kill("SIGKILL");
    await child.exited;
  });
  return child;
};

/** The page as one list. */
export const listAll = async (store: Store, filter: Partial<JobFilter> = {}): Promise<readonly Job[]> =>
  (await Array.fromAsync(store.listJobs({ limit: 100, offset: 0, ...filter }))).flat();
