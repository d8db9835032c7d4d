import type { Job, QueuedJob, StartingJob } from "../core/job.ts";
import { buildJobEnvironment } from "../core/job-environment.ts";
import { renderCommandScript, renderOuterScript } from "../core/job-script.ts";
import type { JobFiles } from "../core/ports.ts";
import { changeJob, logFailure } from "./change-job.ts";
import type { SchedulerContext } from "./context.ts";

const prepareFiles = (context: SchedulerContext, job: StartingJob): JobFiles => ({
  script: renderOuterScript(job),
  commands: renderCommandScript(job),
  environment: buildJobEnvironment(context.serverEnvironment, job, job.gpuIdxs, context.store.loadEnvironment(job.id)),
  artifact: job.artifactId === null ? null : context.store.artifacts.read(job.artifactId),
});

const isStarting = (job: Job): job is StartingJob => job.status === "starting";

const failLaunch = async (context: SchedulerContext, job: StartingJob, message: string): Promise<void> => {
  const event = { kind: "lose", at: context.clock(), reason: `Could not start: ${message}` } as const;
  logFailure(context, job.id, await changeJob(context, job.id, event));
  await context.jobDirectory.removeRepo(job.id);
};

const launchStarting = async (context: SchedulerContext, job: StartingJob): Promise<void> => {
  const launched = await context.executor.launch(job, prepareFiles(context, job));
  if (!launched.ok) return failLaunch(context, job, launched.error.message);
  logFailure(context, job.id, await changeJob(context, job.id, { kind: "launch", handle: launched.value }));
};

/** Writes the intent, acts, writes the outcome. A job edited or removed since the decision is left for the next tick. */
export const launchJob = async (
  context: SchedulerContext,
  job: QueuedJob,
  gpuIdxs: readonly number[],
): Promise<void> => {
  const current = context.store.findJob(job.id);
  if (current?.status !== "queued" || current.numGpus !== gpuIdxs.length) return;
  const event = { kind: "start", at: context.clock(), gpuIdxs, dir: context.jobDirectory.pathOf(job.id) } as const;
  const started = await changeJob(context, job.id, event);
  if (started.ok && isStarting(started.value)) await launchStarting(context, started.value);
};
