import type { QueuedJob } from "./job.ts";

type Ranked = Pick<QueuedJob, "id" | "priority" | "createdAt">;

/** Negative when `a` starts before `b`: the higher priority first, then the older, then the smaller id. */
export const compareStartOrder = (a: Ranked, b: Ranked): number => {
  if (a.priority !== b.priority) return b.priority - a.priority;
  if (a.createdAt !== b.createdAt) return a.createdAt - b.createdAt;
  return a.id < b.id ? -1 : Number(a.id > b.id);
};
