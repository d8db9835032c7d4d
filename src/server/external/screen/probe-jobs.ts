import { constants, existsSync } from "node:fs";
import { canAccess } from "../../../tools/can-access.ts";
import type { ActiveJob, JobId } from "../../core/jobs/job.ts";
import type { Observation } from "../../core/running/executor.ts";
import { type JobPaths, locateJobFiles } from "../job-folder/job-paths.ts";
import { readClaim, revokeLaunch, withdrawLaunch } from "./claim.ts";
import { hasBegun, readExitCode, readExitTime, readJobrcLine, readLeftRunning, readStartFailure } from "./job-files.ts";
import {
  createHandle,
  createHandleFromClaim,
  isSessionAlive,
  type ScreenHandle,
  UNKNOWN_PID,
} from "./launch-session.ts";
import { type Census, type ProcessSource, takeCensus } from "./processes/census.ts";
import { type JobProcesses, listAll, listLeftovers, selectJobProcesses } from "./processes/job-processes.ts";
import { type Process, readBootId } from "./processes/process-table.ts";

type Launched = Readonly<{ job: ActiveJob; paths: JobPaths; handle: ScreenHandle }>;

const LOOKS = 3;
const OUT_OF_PROCESSES = /Resource temporarily unavailable|Cannot allocate memory/;
const PAUSE_BETWEEN_LOOKS_MS = 100;
const RESTARTED = "Lost: the machine restarted";
const REMOVED = "Lost: its folder was removed, and its exit code with it";
const VANISHED = "Lost: its session ended without an exit code (killed from outside or out of memory)";

export const findHandle = (job: ActiveJob, paths: JobPaths): ScreenHandle | null => {
  if (job.status === "running") return job.handle.kind === "screen" ? job.handle : null;
  const claim = readClaim(paths, job);
  if (claim === null || claim.kind === "revoked") return null;
  return claim.kind === "launched" ? createHandleFromClaim(job, claim) : createHandle(job, UNKNOWN_PID);
};

export const findProcesses = (job: ActiveJob, handle: ScreenHandle | null, { index, labels }: Census): JobProcesses => {
  const session = handle === null ? undefined : index.table.get(handle.pid);
  const sessionPid = handle !== null && session?.startTicks === handle.startTicks ? handle.pid : null;
  return selectJobProcesses(index, { sessionPid, labelled: labels.get(job.id) ?? new Set() }, process.pid);
};

const observeExited = (paths: JobPaths, exitCode: number, leftovers: readonly Process[]): Observation => {
  const exitedAt = readExitTime(paths);
  const jobrcLine = readJobrcLine(paths);
  const left = new Map([...readLeftRunning(paths), ...leftovers.map(({ pid, name }) => [pid, name] as const)]);
  return {
    ...{ kind: "exited", exitCode, processesLeft: leftovers.length },
    ...(left.size === 0 ? {} : { left: [...left.values()] }),
    ...(exitedAt === null ? {} : { exitedAt }),
    ...(jobrcLine === null ? {} : { jobrcLine }),
  };
};

const observeLost = ({ paths, handle }: Launched, bootId: string): Observation => {
  if (handle.bootId !== bootId) return { kind: "lost", reason: RESTARTED };
  return { kind: "lost", reason: readStartFailure(paths) ?? (existsSync(paths.dir) ? VANISHED : REMOVED) };
};

const observeEnded = (launched: Launched, census: Census, bootId: string): Observation | null => {
  const { job, paths, handle } = launched;
  const processes = findProcesses(job, handle, census);
  const exitCode = readExitCode(paths, job);
  const left = exitCode === null ? listAll(processes) : listLeftovers(processes);
  if (left.length === 0 && !census.isWhole) return null;
  if (exitCode !== null) return observeExited(paths, exitCode, left);
  return left.length > 0 ? { kind: "alive", handle } : observeLost(launched, bootId);
};

const isShut = ({ dir }: JobPaths): boolean => existsSync(dir) && !canAccess(dir, constants.R_OK | constants.X_OK);

const isOfMachine = ({ job, paths, handle }: Launched, bootId: string): boolean => {
  if (!canAccess(paths.dir, constants.R_OK | constants.X_OK)) return false;
  if (handle.bootId !== bootId || existsSync(paths.started) || readClaim(paths, job) === null) return false;
  return !hasBegun(paths) || OUT_OF_PROCESSES.test(readStartFailure(paths) ?? "");
};

const excuseMachine = (launched: Launched, seen: Observation | null, bootId: string): Observation | null => {
  if (seen?.kind !== "lost" || !isOfMachine(launched, bootId)) return seen;
  try {
    withdrawLaunch(launched.paths, launched.job);
    return { kind: "unstarted" };
  } catch {
    return null;
  }
};

type Observed = ReadonlyMap<Launched, Observation | null>;

type Scene = Readonly<{ processes: ProcessSource; bootId: string }>;

const observeAll = async ({ processes, bootId }: Scene, ended: readonly Launched[]): Promise<Observed> => {
  const census = await takeCensus(processes);
  return new Map(ended.map((launched) => [launched, observeEnded(launched, census, bootId)] as const));
};

const listLost = (observed: Observed): readonly Launched[] =>
  [...observed].flatMap(([launched, seen]) => (seen?.kind === "lost" ? [launched] : []));

const observeSurely = async (scene: Scene, ended: readonly Launched[]): Promise<Observed> => {
  let observed = await observeAll(scene, ended);
  for (let look = 1; look < LOOKS && listLost(observed).length > 0; look += 1) {
    await scene.processes.pause(PAUSE_BETWEEN_LOOKS_MS);
    observed = new Map([...observed, ...(await observeAll(scene, listLost(observed)))]);
  }
  return new Map([...observed].map(([one, seen]) => [one, excuseMachine(one, seen, scene.bootId)] as const));
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

type Seen = Readonly<{ job: ActiveJob; seen: Observation }>;
type Look = Seen | Launched;

const look = (serverDir: string, job: ActiveJob, bootId: () => string): Look | null => {
  const paths = locateJobFiles(serverDir, job.id);
  if (job.status === "starting" && isShut(paths)) return { job, paths, handle: createHandle(job, UNKNOWN_PID) };
  const isRevoked = job.status === "starting" && tryRevoke(paths, job);
  if (isRevoked !== false) return isRevoked === null ? null : { job, seen: { kind: "unstarted" } };
  const handle = findHandle(job, paths);
  if (handle === null) return null;
  const isRunning = isSessionAlive(handle, bootId()) && !existsSync(paths.exitCode);
  return isRunning ? { job, seen: { kind: "alive", handle } } : { job, paths, handle };
};

const isSeen = (one: Look): one is Seen => "seen" in one;

const hasEnded = (one: Look): one is Launched => !isSeen(one);

/**
 * Looks at all jobs in one pass; the processes are counted only if some job's session or command has ended. A job of which
 * no process is found counts as lost only after three looks, and what was not seen for sure is not told.
 */
export const probeJobs = async (
  { serverDir, processes }: Readonly<{ serverDir: string; processes: ProcessSource }>,
  jobs: readonly ActiveJob[],
): Promise<ReadonlyMap<JobId, Observation>> => {
  const bootId = once(readBootId);
  const looks = jobs.flatMap((job) => look(serverDir, job, bootId) ?? []);
  const ended = looks.filter(hasEnded);
  const observed = ended.length === 0 ? [] : await observeSurely({ processes, bootId: bootId() }, ended);
  const found = [...looks.filter(isSeen), ...[...observed].map(([{ job }, seen]) => ({ job, seen }))];
  return new Map(found.flatMap(({ job, seen }) => (seen === null ? [] : [[job.id, seen] as const])));
};
