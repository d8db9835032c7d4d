import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, existsSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { err, ok, type Result } from "../../../base/result.ts";
import { openToAppend } from "../../../tools/write-regular.ts";
import type { ActiveJob, JobHandle } from "../../core/jobs/job.ts";
import type { LaunchError } from "../../core/running/executor.ts";
import type { Environment } from "../../core/store.ts";
import type { OnStep } from "../../core/telemetry/steps.ts";
import type { JobPaths } from "../job-folder/job-paths.ts";
import { type Claim, readClaim, revokeLaunch, waitForCompleteClaim } from "./claim.ts";
import { hasBegun, readStartFailure } from "./job-files.ts";
import { readBootId, readProcess } from "./processes/process-table.ts";

export type ScreenHandle = JobHandle & { kind: "screen" };
type Session = Readonly<{ handle: JobHandle; child: ChildProcess }>;

const FIRST_POLLS_MS = 1;
const LATER_POLLS_MS = 20;
const QUICK_POLLS = 100;
const CLAIM_TIMEOUT_MS = 10_000;
const BEGIN_TIMEOUT_MS = 20_000;
const REVOKED = "Could not start the screen session: the launch was revoked";
const TOO_LARGE = /E2BIG|Argument list too long/i;

/** Of a session whose claim is not complete yet: its processes are found by what they say of themselves. */
export const UNKNOWN_PID = 0;

export const nameSession = (job: Pick<ActiveJob, "id">): string => `nexus_job_${job.id}`;

/** A pid that is used again has another start, a machine that restarted another boot id. */
export const isSessionAlive = ({ pid, startTicks, bootId }: ScreenHandle, currentBootId: string): boolean =>
  bootId === currentBootId && readProcess(pid)?.startTicks === startTicks;

export const createHandle = (job: Pick<ActiveJob, "id">, pid: number): ScreenHandle => ({
  kind: "screen",
  session: nameSession(job),
  pid,
  startTicks: readProcess(pid)?.startTicks ?? 0,
  bootId: readBootId(),
});

export const createHandleFromClaim = (
  job: Pick<ActiveJob, "id">,
  claim: Claim & { kind: "launched" },
): ScreenHandle => ({
  ...createHandle(job, claim.screenPid),
  bootId: claim.bootId,
  ...(readProcess(claim.outerPid)?.parentPid === claim.screenPid ? {} : { startTicks: 0 }),
});

const spawnScreen = (job: ActiveJob, paths: JobPaths, env: Environment): ChildProcess => {
  const errorLog = openToAppend(paths.errorLog);
  try {
    const argv = ["-D", "-m", "-c", "screenrc", "-S", nameSession(job), "bash", "run.sh"];
    return spawn("screen", argv, { cwd: paths.dir, env, detached: true, stdio: ["ignore", errorLog, errorLog] });
  } finally {
    closeSync(errorLog);
  }
};

const waitForClaim = async (job: ActiveJob, paths: JobPaths, hasEnded: () => boolean): Promise<Claim | null> => {
  const deadline = performance.now() + CLAIM_TIMEOUT_MS;
  for (let polls = 0; performance.now() < deadline; polls += 1) {
    const ended = hasEnded();
    const claim = readClaim(paths, job);
    if (ended || (claim !== null && claim.kind !== "incomplete")) return claim;
    await pause(polls < QUICK_POLLS ? FIRST_POLLS_MS : LATER_POLLS_MS);
  }
  return readClaim(paths, job);
};

const findFailedBegin = async (paths: JobPaths, readEnding: () => string | null): Promise<string | null> => {
  const deadline = performance.now() + BEGIN_TIMEOUT_MS;
  for (let polls = 0; performance.now() < deadline; polls += 1) {
    const ending = readEnding();
    if (hasBegun(paths)) return null;
    if (ending !== null) return existsSync(paths.exitCode) ? null : ending;
    await pause(polls < QUICK_POLLS ? FIRST_POLLS_MS : LATER_POLLS_MS);
  }
  return null;
};

const failToStart = (paths: JobPaths, reason: string): Result<never, LaunchError> => {
  const why = readStartFailure(paths) ?? reason;
  return err({ message: `Could not start the screen session: ${why}`, isTemporary: !TOO_LARGE.test(reason) });
};

const giveUp = async (
  job: ActiveJob,
  paths: JobPaths,
  ended: Readonly<{ child: ChildProcess; reason: string }>,
): Promise<Result<Session, LaunchError>> => {
  if (revokeLaunch(paths, job)) return failToStart(paths, ended.reason);
  await waitForCompleteClaim(paths, job);
  const claim = readClaim(paths, job);
  if (claim === null || claim.kind === "revoked") return failToStart(paths, ended.reason);
  const handle = claim.kind === "launched" ? createHandleFromClaim(job, claim) : createHandle(job, UNKNOWN_PID);
  return ok({ handle, child: ended.child });
};

/** Resolves once the job's inner script has begun, or can't any more. An error where that ended before: `isTemporary`, as no part of the job was reached. */
export const launchSession = async (
  job: ActiveJob,
  { paths, env, onStep }: Readonly<{ paths: JobPaths; env: Environment; onStep?: OnStep | undefined }>,
): Promise<Result<Session, LaunchError>> => {
  const child = spawnScreen(job, paths, env);
  onStep?.("screen spawned");
  let ending: string | null = null;
  child.once("error", (error) => (ending = error.message));
  child.once("exit", (code, signal) => (ending ??= `screen ended with ${signal ?? `exit code ${code}`}`));
  child.unref();
  const { pid } = child;
  const ownHandle = pid === undefined ? null : createHandle(job, pid);
  const claim = await waitForClaim(job, paths, () => ending !== null);
  if (claim?.kind === "revoked") return err({ message: REVOKED });
  if (claim?.kind === "launched" && claim.screenPid !== pid) {
    return ok({ handle: createHandleFromClaim(job, claim), child });
  }
  const isOver = claim?.kind !== "launched" && ending !== null;
  if (ownHandle === null || isOver) return giveUp(job, paths, { child, reason: ending ?? "no process" });
  const failure = await findFailedBegin(paths, () => ending);
  return failure === null ? ok({ handle: ownHandle, child }) : failToStart(paths, failure);
};
