import { existsSync } from "node:fs";
import type { ActiveJob, JobId } from "../../core/jobs/job.ts";
import type { Observation } from "../../core/running/executor.ts";
import { type JobPaths, locateJobFiles } from "../job-folder/job-paths.ts";
import { type Census, takeCensus } from "./census.ts";
import { readClaim, revokeLaunch } from "./claim.ts";
import { readExitCode, readExitTime, readStartFailure } from "./job-files.ts";
import { indexProcesses, type JobProcesses, listAll, listLeftovers, selectJobProcesses } from "./job-processes.ts";
import { createHandle, createHandleFromClaim, isSessionAlive, type ScreenHandle } from "./launch-session.ts";
import { readBootId } from "./process-table.ts";

type Launched = Readonly<{ job: ActiveJob; paths: JobPaths; handle: ScreenHandle }>;

const NOBODY: Census = { index: indexProcesses(new Map()), labels: new Map() };
const RESTARTED = "Lost: the machine restarted";
const REMOVED = "Lost: its folder was removed, and its exit code with it";
const VANISHED = "Lost: its session ended without an exit code (killed from outside or out of memory)";

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
  if (exitCode !== null) {
    const exitedAt = readExitTime(paths);
    const processesLeft = listLeftovers(processes).length;
    return { kind: "exited", exitCode, processesLeft, ...(exitedAt === null ? {} : { exitedAt }) };
  }
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

type Look = Readonly<{ job: ActiveJob; seen: Observation }> | Launched;

const look = (serverDir: string, job: ActiveJob, bootId: () => string): Look | null => {
  const paths = locateJobFiles(serverDir, job.id);
  const isRevoked = job.status === "starting" && tryRevoke(paths, job);
  if (isRevoked !== false) return isRevoked === null ? null : { job, seen: { kind: "unstarted" } };
  const handle = findHandle(job, paths);
  if (handle === null) return null;
  const isRunning = isSessionAlive(handle, bootId()) && !existsSync(paths.exitCode);
  return isRunning ? { job, seen: { kind: "alive", handle } } : { job, paths, handle };
};

/** Looks at all jobs in one pass; the processes are counted only if some job's session or command has ended. */
export const probeJobs = async (
  serverDir: string,
  jobs: readonly ActiveJob[],
): Promise<ReadonlyMap<JobId, Observation>> => {
  const bootId = once(readBootId);
  const looks = jobs.flatMap((job) => look(serverDir, job, bootId) ?? []);
  const census = looks.every((one) => "seen" in one) ? NOBODY : await takeCensus();
  return new Map(
    looks.map((one) => [one.job.id, "seen" in one ? one.seen : observeEnded(one, census, bootId())] as const),
  );
};
