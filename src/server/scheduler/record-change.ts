import { isActive, isEnded, type Job } from "../core/job.ts";
import { describeChange, type JobChange } from "../core/job-change.ts";
import type { SchedulerContext } from "./context.ts";

const measureChange = ({ meter, clock }: SchedulerContext, before: Job, after: Job): void => {
  if (before.status === "queued" && isActive(after)) meter.observeQueueWait(after.startedAt - after.createdAt);
  if (isEnded(after) && !isEnded(before)) meter.countEnded(after.status);
  if (before.status !== "starting" || after.status !== "running") return;
  const now = clock();
  meter.observeLaunch(now - after.startedAt);
  meter.observeStart(now - after.createdAt);
};

/** Tells of a change that is on disk, in the log and in figures. */
export const recordChange = (
  context: SchedulerContext,
  change: JobChange & Readonly<{ before: Job; after: Job }>,
): void => {
  const { before, after } = change;
  measureChange(context, before, after);
  const level = before.status === after.status ? "debug" : "info";
  context.log[level]("job changed", describeChange(change));
};
