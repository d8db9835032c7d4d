import { writeFileSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { err, ok, type Problem, type Result } from "../../../base/result.ts";
import { runCommand } from "../../../tools/run-command.ts";
import type { ActiveJob } from "../../core/jobs/job.ts";
import type { OnStep } from "../../core/telemetry/steps.ts";
import { locateJobFiles } from "../job-folder/job-paths.ts";
import { takeCensus } from "./census.ts";
import { type JobProcesses, listAll } from "./job-processes.ts";
import { nameSession } from "./launch-session.ts";
import { findHandle, findProcesses } from "./probe-jobs.ts";
import { type Process, readProcess, readUptimeTicks } from "./process-table.ts";

type Round = Readonly<{ failures: readonly (string | null)[]; signalled: ReadonlySet<string>; startedUntil: number }>;

type Session = Readonly<{ screen: Process; session: string }>;

const MAX_ROUNDS = 10;
const MAX_TERM_ROUNDS = 3;
const SCREEN_POLLS = 100;
const SCREEN_POLL_MS = 2;
const WIPE_LIMITS = { timeoutMs: 2000, maxOutputBytes: 65_536 };

const isGone = (error: unknown): boolean => error instanceof Error && "code" in error && error.code === "ESRCH";

const signal = ({ pid, startTicks }: Process, name: "SIGTERM" | "SIGKILL"): string | null => {
  if (readProcess(pid)?.startTicks !== startTicks) return null;
  try {
    process.kill(pid, name);
    return null;
  } catch (error) {
    return isGone(error) ? null : `Could not send ${name} to process ${pid}: ${String(error)}`;
  }
};

type Found = Readonly<{ processes: readonly JobProcesses[]; isWhole: boolean }>;

const findAll = async (serverDir: string, jobs: readonly ActiveJob[]): Promise<Found> => {
  const census = await takeCensus();
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
    writeFileSync(locateJobFiles(serverDir, job.id).terminated, "", { mode: 0o600 });
  } catch {
    return;
  }
};

const listTerminated = (processes: JobProcesses): readonly Process[] =>
  listAll({ ...processes, recorder: null, screen: null });

const identify = ({ pid, startTicks }: Process): string => `${pid} ${startTicks}`;

const terminateNew = async (serverDir: string, jobs: readonly ActiveJob[], round: Round): Promise<Round> => {
  const { processes } = await findAll(serverDir, jobs);
  const targets = processes
    .flatMap(listTerminated)
    .filter((one) => one.startTicks <= round.startedUntil && !round.signalled.has(identify(one)));
  const failures = [...round.failures, ...targets.map((one) => signal(one, "SIGTERM"))];
  const signalled = new Set([...round.signalled, ...targets.map(identify)]);
  return { failures, signalled, startedUntil: readUptimeTicks() };
};

/**
 * Asks every process of each job to end, and those that they were starting just then, but leaves screen and the
 * recorder, which end with them, so that they keep their terminal. What they start afterwards to clean up is left.
 */
export const terminateJobs = async (
  serverDir: string,
  jobs: readonly ActiveJob[],
  onStep?: OnStep,
): Promise<Result<void, Problem>> => {
  for (const job of jobs) keepFromStarting(serverDir, job);
  let round: Round = { failures: [], signalled: new Set(), startedUntil: Number.POSITIVE_INFINITY };
  let before = -1;
  for (let rounds = 0; rounds < MAX_TERM_ROUNDS && round.signalled.size > before; rounds += 1) {
    before = round.signalled.size;
    round = await terminateNew(serverDir, jobs, round);
    await pause(0);
  }
  onStep?.("processes terminated");
  return report(round.failures);
};

const isAlive = ({ pid, startTicks }: Process): boolean => readProcess(pid)?.startTicks === startTicks;

const killAllButScreens = async (
  serverDir: string,
  jobs: readonly ActiveJob[],
): Promise<readonly (string | null)[]> => {
  const failures: (string | null)[] = [];
  const killed = new Set<string>();
  for (let round = 0; round < MAX_ROUNDS; round += 1) {
    const { processes, isWhole } = await findAll(serverDir, jobs);
    const targets = processes
      .flatMap((found) => listAll({ ...found, screen: null }))
      .filter((one) => !killed.has(identify(one)));
    if (targets.length === 0 && isWhole) break;
    for (const target of targets) {
      killed.add(identify(target));
      failures.push(signal(target, "SIGKILL"));
    }
  }
  return failures;
};

const waitForEnd = async (processes: readonly Process[]): Promise<void> => {
  for (let poll = 0; poll < SCREEN_POLLS && processes.some(isAlive); poll += 1) await pause(SCREEN_POLL_MS);
};

const killScreen = async ({ screen, session }: Session): Promise<string | null> => {
  const failure = signal(screen, "SIGKILL");
  await waitForEnd([screen]);
  await runCommand(["screen", "-wipe", `${screen.pid}.${session}`], WIPE_LIMITS);
  return failure;
};

const endScreens = async (sessions: readonly Session[]): Promise<readonly (string | null)[]> => {
  const screens = sessions.map(({ screen }) => screen);
  await waitForEnd(screens);
  const failures = screens.map((screen) => signal(screen, "SIGTERM"));
  await waitForEnd(screens);
  const deaf = sessions.filter(({ screen }) => isAlive(screen));
  return [...failures, ...(await Promise.all(deaf.map(killScreen)))];
};

const findSessions = async (serverDir: string, jobs: readonly ActiveJob[]): Promise<readonly Session[]> =>
  (await findAll(serverDir, jobs)).processes.flatMap(({ screen }, place) => {
    const job = jobs[place];
    return screen === null || job === undefined ? [] : [{ screen, session: nameSession(job) }];
  });

/** Kills every process of each job, and those they started meanwhile. Screen goes last: it ends by itself then, and removes its socket; else it is made to, and its socket is removed. */
export const forceKillJobs = async (
  serverDir: string,
  jobs: readonly ActiveJob[],
  onStep?: OnStep,
): Promise<Result<void, Problem>> => {
  const sessions = await findSessions(serverDir, jobs);
  const failures = await killAllButScreens(serverDir, jobs);
  onStep?.("processes killed");
  const screenFailures = await endScreens(sessions);
  onStep?.("screens ended");
  return report([...failures, ...screenFailures]);
};
