import { listPast } from "../core/jobs/attempt.ts";
import { isStopping } from "../core/jobs/halt.ts";
import { isActive, isEnded, isMoving, type Job } from "../core/jobs/job.ts";
import { describeChange } from "../core/jobs/job-change.ts";
import { findStretch } from "../core/queue/fair-share.ts";
import type { ChangeContext } from "./context.ts";

/** `after` is null for a job that was removed. `isHeardOf`: the outbox has something new. `caused` is what became of others by it. */
export type Changed = Readonly<{
  before: Job;
  after: Job | null;
  reason: string;
  isMinor?: boolean;
  isHeardOf: boolean;
  caused: readonly Changed[];
}>;

const measureChange = ({ meter, clock }: ChangeContext, before: Job, after: Job): void => {
  const isFirst = listPast(after).length === 0;
  if (before.status === "queued" && isActive(after) && isFirst)
    meter.observeQueueWait(after.startedAt - after.createdAt, after.user);
  const stretch = findStretch(before, after);
  if (stretch !== null) meter.countStretch(stretch);
  if (isEnded(after) && !isEnded(before)) meter.countEnded(after.status);
  if (before.status !== "starting" || after.status !== "running") return;
  const now = clock();
  meter.observeLaunch(now - after.startedAt);
  if (isFirst) meter.observeStart(now - after.createdAt);
};

const isOfTheQueue = (before: Job, after: Job | null): boolean =>
  after === null || after.status === "queued" || (isEnded(after) && !isEnded(before));

const isForTheRunning = (before: Job, after: Job | null): boolean =>
  after !== null && isActive(after) && (isStopping(after) || after.timeLimitS !== before.timeLimitS);

const wakeFor = ({ wakes }: ChangeContext, { before, after, isHeardOf, isMinor = false }: Changed): void => {
  if (!isMinor && isOfTheQueue(before, after)) wakes.queues();
  else if (isForTheRunning(before, after)) wakes.running();
  if (after !== null && isMoving(after)) wakes.outputs();
  if (isHeardOf) wakes.outbox();
};

/** Tells of a change that is on disk: in the log, in figures, and those whom it gives work. */
export const recordChange = (context: ChangeContext, changed: Changed): void => {
  const { before, after, isMinor } = changed;
  if (after !== null) measureChange(context, before, after);
  if (after !== before) context.log[isMinor ? "debug" : "info"]("job changed", describeChange(changed));
  wakeFor(context, changed);
  for (const one of changed.caused) recordChange(context, one);
};
