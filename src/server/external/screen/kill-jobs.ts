import { readErrorCode } from "../../../base/error-code.ts";
import { err, ok, type Problem, type Result } from "../../../base/result.ts";
import { appendToRegular } from "../../../tools/write-regular.ts";
import type { ActiveJob } from "../../core/jobs/job.ts";
import type { OnStep } from "../../core/telemetry/steps.ts";
import { locateJobFiles } from "../job-folder/job-paths.ts";
import { nameSession } from "./launch-session.ts";
import { findHandle, findProcesses } from "./probe-jobs.ts";
import { PROC, type ProcessSource, takeCensus } from "./processes/census.ts";
import { type JobProcesses, listAll } from "./processes/job-processes.ts";
import { catchesUsr1, type Process, readUptimeTicks } from "./processes/process-table.ts";
import { wipeSession } from "./screen-folder.ts";

type Signal = "SIGTERM" | "SIGKILL" | "SIGUSR1";

/** `kill` throws as `process.kill` does. */
export type ProcessControl = ProcessSource & Readonly<{ kill: (pid: number, signal: Signal) => void }>;

type Killing = Readonly<{ serverDir: string; processes: ProcessControl; onStep?: OnStep | undefined }>;

type Round = Readonly<{ failures: readonly (string | null)[]; signalled: ReadonlySet<string>; startedUntil: number }>;

type Session = Readonly<{ screen: Process; session: string }>;

/** All processes of this machine. */
export const MACHINE: ProcessControl = { ...PROC, kill: (pid, signal) => void process.kill(pid, signal) };

const MAX_ROUNDS = 10;
const MAX_TERM_ROUNDS = 3;
const SCREEN_POLLS = 100;
const SCREEN_POLL_MS = 2;

const isGone = (error: unknown): boolean => readErrorCode(error) === "ESRCH";

const isAlive = ({ processes }: Killing, { pid, startTicks }: Process): boolean =>
  processes.readProcess(pid)?.startTicks === startTicks;

const signal = (killing: Killing, target: Process, name: Signal): string | null => {
  if (!isAlive(killing, target)) return null;
  try {
    killing.processes.kill(target.pid, name);
    return null;
  } catch (error) {
    return isGone(error) ? null : `Could not send ${name} to process ${target.pid}: ${String(error)}`;
  }
};

type Found = Readonly<{ processes: readonly JobProcesses[]; isWhole: boolean }>;

const findAll = async ({ serverDir, processes }: Killing, jobs: readonly ActiveJob[]): Promise<Found> => {
  const census = await takeCensus(processes);
  const find = (job: ActiveJob): JobProcesses =>
    findProcesses(job, findHandle(job, locateJobFiles(serverDir, job.id)), census);
  return { processes: jobs.map(find), isWhole: census.isWhole };
};

const report = (failures: readonly (string | null)[]): Result<void, Problem> => {
  const message = failures.find((failure) => failure !== null);
  return message === undefined ? ok(undefined) : err({ message });
};

const keepFromStarting = (serverDir: string, job: ActiveJob): void => {
  try {
    appendToRegular(locateJobFiles(serverDir, job.id).terminated, new Uint8Array());
  } catch {
    return;
  }
};

const listTerminated = (processes: JobProcesses): readonly Process[] =>
  listAll({ ...processes, recorder: null, screen: null });

const identify = ({ pid, startTicks }: Process): string => `${pid} ${startTicks}`;

const terminateNew = async (killing: Killing, jobs: readonly ActiveJob[], round: Round): Promise<Round> => {
  const { processes } = await findAll(killing, jobs);
  const targets = processes
    .flatMap(listTerminated)
    .filter((one) => one.startTicks <= round.startedUntil && !round.signalled.has(identify(one)));
  const failures = [...round.failures, ...targets.map((one) => signal(killing, one, "SIGTERM"))];
  const signalled = new Set([...round.signalled, ...targets.map(identify)]);
  return { failures, signalled, startedUntil: readUptimeTicks() };
};

/**
 * Asks every process of each job to end, and those that they were starting just then, but leaves screen and the
 * recorder, which end with them, so that they keep their terminal. What they start afterwards to clean up is left.
 */
export const terminateJobs = async (killing: Killing, jobs: readonly ActiveJob[]): Promise<Result<void, Problem>> => {
  for (const job of jobs) keepFromStarting(killing.serverDir, job);
  let round: Round = { failures: [], signalled: new Set(), startedUntil: Number.POSITIVE_INFINITY };
  let before = -1;
  for (let rounds = 0; rounds < MAX_TERM_ROUNDS && round.signalled.size > before; rounds += 1) {
    before = round.signalled.size;
    round = await terminateNew(killing, jobs, round);
    await killing.processes.pause(0);
  }
  killing.onStep?.("processes terminated");
  return report(round.failures);
};

/** Tells those processes of each job that catch it, and no other: USR1 ends the rest. */
export const warnJobs = async (killing: Killing, jobs: readonly ActiveJob[]): Promise<Result<void, Problem>> => {
  const { processes } = await findAll(killing, jobs);
  const targets = processes.flatMap(({ others }) => others.filter(({ pid }) => catchesUsr1(pid)));
  return report(targets.map((one) => signal(killing, one, "SIGUSR1")));
};

const killAllButScreens = async (killing: Killing, jobs: readonly ActiveJob[]): Promise<readonly (string | null)[]> => {
  const failures: (string | null)[] = [];
  const killed = new Set<string>();
  for (let round = 0; round < MAX_ROUNDS; round += 1) {
    const { processes, isWhole } = await findAll(killing, jobs);
    const targets = processes
      .flatMap((found) => listAll({ ...found, screen: null }))
      .filter((one) => !killed.has(identify(one)));
    if (targets.length === 0 && isWhole) break;
    for (const target of targets) {
      killed.add(identify(target));
      failures.push(signal(killing, target, "SIGKILL"));
    }
  }
  return failures;
};

const waitForEnd = async (killing: Killing, processes: readonly Process[]): Promise<void> => {
  for (let poll = 0; poll < SCREEN_POLLS && processes.some((one) => isAlive(killing, one)); poll += 1)
    await killing.processes.pause(SCREEN_POLL_MS);
};

const killScreen = async (killing: Killing, { screen, session }: Session): Promise<string | null> => {
  const failure = signal(killing, screen, "SIGKILL");
  await waitForEnd(killing, [screen]);
  await wipeSession(killing.serverDir, { pid: screen.pid, session });
  return failure;
};

const endScreens = async (killing: Killing, sessions: readonly Session[]): Promise<readonly (string | null)[]> => {
  const screens = sessions.map(({ screen }) => screen);
  await waitForEnd(killing, screens);
  const failures = screens.map((screen) => signal(killing, screen, "SIGTERM"));
  await waitForEnd(killing, screens);
  const deaf = sessions.filter(({ screen }) => isAlive(killing, screen));
  return [...failures, ...(await Promise.all(deaf.map((session) => killScreen(killing, session))))];
};

const findSessions = async (killing: Killing, jobs: readonly ActiveJob[]): Promise<readonly Session[]> =>
  (await findAll(killing, jobs)).processes.flatMap(({ screen }, place) => {
    const job = jobs[place];
    return screen === null || job === undefined ? [] : [{ screen, session: nameSession(job) }];
  });

/** Kills every process of each job, and those they started meanwhile. Screen goes last: it ends by itself then, and removes its socket; else it is made to, and its socket is removed. */
export const forceKillJobs = async (killing: Killing, jobs: readonly ActiveJob[]): Promise<Result<void, Problem>> => {
  const sessions = await findSessions(killing, jobs);
  const failures = await killAllButScreens(killing, jobs);
  killing.onStep?.("processes killed");
  const screenFailures = await endScreens(killing, sessions);
  killing.onStep?.("screens ended");
  return report([...failures, ...screenFailures]);
};
