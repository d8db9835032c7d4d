import { describeError } from "../../shared/describe-error.ts";
import { err, type Result } from "../../shared/result.ts";
import type { Job, JobHandle, QueuedJob, StartingJob } from "../core/job.ts";
import { buildJobEnvironment } from "../core/job-environment.ts";
import { renderCommandScript, renderOuterScript } from "../core/job-script.ts";
import type { JobFiles, LaunchError } from "../core/ports.ts";
import { changeJob, logFailure } from "./change-job.ts";
import type { SchedulerContext } from "./context.ts";

const prepareFiles = (context: SchedulerContext, job: StartingJob): JobFiles => ({
  script: renderOuterScript(job),
  commands: renderCommandScript(job),
  environment: buildJobEnvironment(context.serverEnvironment, job, job.gpuIdxs, context.store.loadEnvironment(job.id)),
  artifact: job.artifactId === null ? null : context.store.artifacts.read(job.artifactId),
});

const tryLaunch = async (context: SchedulerContext, job: StartingJob): Promise<Result<JobHandle, LaunchError>> => {
  try {
    return await context.executor.launch(job, prepareFiles(context, job));
  } catch (error) {
    return err({ message: `Could not prepare the job: ${describeError(error)}` });
  }
};

const isStarting = (job: Job): job is StartingJob => job.status === "starting";

const failLaunch = async (context: SchedulerContext, job: StartingJob, message: string): Promise<void> => {
  const event = { kind: "lose", at: context.clock(), reason: message } as const;
  logFailure(context, job.id, await changeJob(context, job.id, event));
  await context.jobDirectory.removeRepo(job.id);
};

const postpone = async (
  { log, settings }: SchedulerContext,
  job: StartingJob,
  { message }: LaunchError,
): Promise<void> => {
  log.warn("job can't start yet", { job_id: job.id, message });
  await new Promise((resolve) => setTimeout(resolve, settings.refreshRate * 1000).unref());
};

/** Writes the intent. Null when the job was edited or removed since the decision: it is left for the next tick. */
export const recordStart = async (
  context: SchedulerContext,
  { job, gpuIdxs }: Readonly<{ job: QueuedJob; gpuIdxs: readonly number[] }>,
): Promise<StartingJob | null> => {
  const event = { kind: "start", at: context.clock(), gpuIdxs, dir: context.jobDirectory.pathOf(job.id) } as const;
  const started = await changeJob(context, job.id, event);
  context.onStep?.("start written");
  return started.ok && isStarting(started.value) ? started.value : null;
};

/** Acts on an intent that is on disk and writes the outcome. A job that can't start yet is left starting for a while: then it is found unstarted, and queued again. */
export const launchJob = async (context: SchedulerContext, job: StartingJob): Promise<void> => {
  const launched = await tryLaunch(context, job);
  if (!launched.ok)
    return launched.error.isTemporary
      ? postpone(context, job, launched.error)
      : failLaunch(context, job, launched.error.message);
  logFailure(context, job.id, await changeJob(context, job.id, { kind: "launch", handle: launched.value }));
  context.onStep?.("launch written");
};
