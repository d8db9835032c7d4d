import { existsSync } from "node:fs";
import type { ActiveJob, JobId } from "../../core/job.ts";
import type { Observation } from "../../core/ports.ts";
import { readClaim, revokeLaunch } from "./claim.ts";
import { type JobPaths, locateJobFiles, readExitCode, readStartFailure } from "./job-files.ts";
import {
  indexProcesses,
  type JobProcesses,
  listAll,
  listLeftovers,
  type ProcessIndex,
  selectJobProcesses,
} from "./job-processes.ts";
import { createHandle, createHandleFromClaim, type ScreenHandle } from "./launch-session.ts";
import { readBootId, readJobIdOf, readProcess, readProcessTable } from "./process-table.ts";

type Launched = Readonly<{ job: ActiveJob; paths: JobPaths; handle: ScreenHandle }>;
export type Census = Readonly<{ index: ProcessIndex; labels: ReadonlyMap<string, ReadonlySet<number>> }>;

const RESTARTED = "Lost: the machine restarted";
const REMOVED = "Lost: its folder was removed, and its exit code with it";
const VANISHED = "Lost: its session ended without an exit code (killed from outside or out of memory)";

export const takeCensus = (): Census => {
  const table = readProcessTable();
  const labels = new Map<string, Set<number>>();
  for (const pid of table.keys()) {
    const id = readJobIdOf(pid);
    if (id !== null) labels.set(id, (labels.get(id) ?? new Set()).add(pid));
  }
  return { index: indexProcesses(table), labels };
};

const isSessionAlive = (handle: ScreenHandle, bootId: string): boolean =>
  handle.bootId === bootId && readProcess(handle.pid)?.startTicks === handle.startTicks;

export const findHandle = (job: ActiveJob, paths: JobPaths): ScreenHandle | null => {
  if (job.status === "running") return job.handle.kind === "screen" ? job.handle : null;
  const claim = readClaim(paths, job);
  if (claim === null || claim.kind === "revoked") return null;
  return claim.kind === "launched" ? createHandleFromClaim(job, claim) : createHandle(job, 0);
};

export const findProcesses = (job: ActiveJob, handle: ScreenHandle | null, { index, labels }: Census): JobProcesses => {
  const session = handle === null ? undefined : index.table.get(handle.pid);
  const sessionPid = handle !== null && session?.startTicks === handle.startTicks ? handle.pid : null;
  return selectJobProcesses(index, { sessionPid, labelled: labels.get(job.id) ?? new Set() }, process.pid);
};

const observeEnded = ({ job, paths, handle }: Launched, census: Census, bootId: string): Observation => {
  const processes = findProcesses(job, handle, census);
  const exitCode = readExitCode(paths, job);
  if (exitCode !== null) return { kind: "exited", exitCode, processesLeft: listLeftovers(processes).length };
  if (listAll(processes).length > 0) return { kind: "alive", handle };
  if (handle.bootId !== bootId) return { kind: "lost", reason: RESTARTED };
  return { kind: "lost", reason: readStartFailure(paths) ?? (existsSync(paths.dir) ? VANISHED : REMOVED) };
};

const tryRevoke = (paths: JobPaths, job: ActiveJob): boolean | null => {
  try {
    return revokeLaunch(paths, job);
  } catch {
    return null;
  }
};

const once = <Value>(make: () => Value): (() => Value) => {
  let made: Readonly<{ value: Value }> | null = null;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
};

/** Looks at all jobs in one pass; the table of all processes is read only if some job's session or command has ended. */
export const probeJobs = (serverDir: string, jobs: readonly ActiveJob[]): ReadonlyMap<JobId, Observation> => {
  const bootId = once(readBootId);
  const census = once(takeCensus);
  const observe = (job: ActiveJob): Observation | null => {
    const paths = locateJobFiles(serverDir, job.id);
    const isRevoked = job.status === "starting" && tryRevoke(paths, job);
    if (isRevoked !== false) return isRevoked === null ? null : { kind: "unstarted" };
    return observeLaunch(job, paths);
  };
  const observeLaunch = (job: ActiveJob, paths: JobPaths): Observation | null => {
    const handle = findHandle(job, paths);
    if (handle === null) return null;
    const isRunning = isSessionAlive(handle, bootId()) && !existsSync(paths.exitCode);
    return isRunning ? { kind: "alive", handle } : observeEnded({ job, paths, handle }, census(), bootId());
  };
  const observations = new Map<JobId, Observation>();
  for (const job of jobs) {
    const observation = observe(job);
    if (observation !== null) observations.set(job.id, observation);
  }
  return observations;
};
