import type { ChildProcess } from "node:child_process";
import { describeError } from "../../../base/describe-error.ts";
import { readErrorCode } from "../../../base/error-code.ts";
import { err, ok, type Result } from "../../../base/result.ts";
import type { ActiveJob, JobHandle, JobId, StartingJob } from "../../core/jobs/job.ts";
import type { LaunchTrouble } from "../../core/machine/launch-trouble.ts";
import type { Executor, JobWork, LaunchError, Observation } from "../../core/running/executor.ts";
import type { OnStep } from "../../core/telemetry/steps.ts";
import { type JobPaths, locateJobFiles } from "../job-folder/job-paths.ts";
import { type Claim, findLaunched, readClaim, waitForCompleteClaim } from "./claim.ts";
import { forceKillJobs, MACHINE, terminateJobs, warnJobs } from "./kill-jobs.ts";
import { readLaunchRecord } from "./launch-record.ts";
import { createHandleFromClaim, launchSession, UNKNOWN_PID } from "./launch-session.ts";
import { createLaunchWatch, type LaunchWatch } from "./launch-watch.ts";
import { prepareJob } from "./prepare-job.ts";
import { findHandle, probeJobs } from "./probe-jobs.ts";
import { wipeSession } from "./screen-folder.ts";
import { buildSessionEnvironment, selectNeeded } from "./session-environment.ts";
import { createViewCommands } from "./view-commands.ts";
import { watchExit } from "./watch-exit.ts";

export type ScreenExecutorOptions = Readonly<{
  serverDir: string;
  serverEnv?: Readonly<Record<string, string | undefined>>;
  maxLogGb?: number;
  retryMs?: number;
  onStep?: OnStep | undefined;
}>;

type Launch = Promise<Result<JobHandle, LaunchError>>;
type State = Readonly<{
  options: ScreenExecutorOptions;
  launches: Map<JobId, Launch>;
  children: Map<JobId, ChildProcess>;
  watch: LaunchWatch;
}>;

const MACHINE_TROUBLE: ReadonlySet<string> = new Set([
  ...["ENOSPC", "EDQUOT", "EROFS", "EIO", "EACCES", "EPERM"],
  ...["EMFILE", "ENFILE", "ENOMEM", "EAGAIN"],
]);

const describe = (error: unknown): string => describeError(error).split("\n")[0] ?? "unknown";

const explainFailure = (error: unknown): LaunchError => {
  const isTemporary = MACHINE_TROUBLE.has(readErrorCode(error));
  return { message: `Could not start the job: ${describe(error)}`, isTemporary };
};

const keepChild = ({ children }: State, id: JobId, child: ChildProcess): void => {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.setMaxListeners(0);
  children.set(id, child);
  child.once("exit", () => {
    if (children.get(id) === child) children.delete(id);
  });
};

const findLaunchBeforeRestore = (job: StartingJob, paths: JobPaths): Claim | null => {
  const record = readLaunchRecord(paths, job.id);
  return record === null || record.requestDigest === job.requestDigest ? findLaunched(paths, job) : null;
};

const findEarlierLaunch = async (job: StartingJob, paths: JobPaths): Promise<JobHandle | null> => {
  await waitForCompleteClaim(paths, job);
  const claim = readClaim(paths, job) ?? findLaunchBeforeRestore(job, paths);
  return claim?.kind === "launched" ? createHandleFromClaim(job, claim) : null;
};

const startLaunch = async (state: State, job: StartingJob, work: JobWork): Launch => {
  const { serverDir, serverEnv, maxLogGb, onStep } = state.options;
  const paths = locateJobFiles(serverDir, job.id);
  const earlier = await findEarlierLaunch(job, paths);
  if (earlier !== null) return ok(earlier);
  await prepareJob(paths, job, { ...work, maxLogGb });
  onStep?.("files prepared");
  const env = buildSessionEnvironment(job.id, work.environment, serverEnv ?? process.env);
  const folder = await state.watch.chooseFolder();
  const session = await launchSession(job, { paths, env: { ...env, ...folder }, onStep });
  if (!session.ok) return session;
  onStep?.("launch claimed");
  keepChild(state, job.id, session.value.child);
  return ok(session.value.handle);
};

const awaitLaunch = async ({ options, launches }: State, job: ActiveJob): Promise<void> => {
  await launches.get(job.id);
  if (job.status === "starting") await waitForCompleteClaim(locateJobFiles(options.serverDir, job.id), job);
};

const launch = (state: State, job: StartingJob, work: JobWork): Launch => {
  const underWay = state.launches.get(job.id);
  if (underWay !== undefined) return underWay;
  const started = startLaunch(state, job, work)
    .catch((error: unknown) => err(explainFailure(error)))
    .then((launched) => {
      if (!launched.ok && launched.error.isTemporary) state.watch.suspect();
      return launched;
    })
    .finally(() => state.launches.delete(job.id));
  state.launches.set(job.id, started);
  return started;
};

const watchJob = (state: State, job: ActiveJob, onChange: () => void): (() => void) => {
  const child = state.children.get(job.id);
  const stopWatching = watchExit(locateJobFiles(state.options.serverDir, job.id), onChange);
  child?.once("exit", onChange);
  return () => {
    child?.off("exit", onChange);
    stopWatching();
  };
};

const wipeLost = async (serverDir: string, job: ActiveJob, seen: Observation | undefined): Promise<void> => {
  const handle = seen?.kind === "lost" ? findHandle(job, locateJobFiles(serverDir, job.id)) : null;
  if (handle !== null && handle.pid !== UNKNOWN_PID) await wipeSession(serverDir, handle);
};

const isUnbegun = (job: ActiveJob, seen: Observation | undefined): boolean =>
  job.status === "running" && seen?.kind === "unstarted";

/** Runs jobs in screen sessions that outlive the server. `serverEnv` is `process.env` unless given; after trouble it tries again every `retryMs`. */
export const createScreenExecutor = (
  options: ScreenExecutorOptions,
): Executor & Readonly<{ trouble: LaunchTrouble }> => {
  const { serverDir, retryMs } = options;
  const watch = createLaunchWatch({ serverDir, env: selectNeeded(options.serverEnv ?? process.env), retryMs });
  const state: State = { options, launches: new Map(), children: new Map(), watch };
  const place = { serverDir, processes: MACHINE, onStep: options.onStep };
  return {
    launch: (job, work) => launch(state, job, work),
    probe: async (jobs) => {
      await Promise.all(jobs.map((job) => awaitLaunch(state, job)));
      const observations = await probeJobs(place, jobs);
      await Promise.all(jobs.map((job) => wipeLost(serverDir, job, observations.get(job.id))));
      if (jobs.some((job) => isUnbegun(job, observations.get(job.id)))) watch.suspect();
      return observations;
    },
    kill: async (jobs, force) => (force ? forceKillJobs : terminateJobs)(place, jobs),
    warn: (jobs) => warnJobs(place, jobs),
    watch: (job, onChange) => watchJob(state, job, onChange),
    ...createViewCommands(serverDir),
    trouble: watch.trouble,
  };
};
