import type { WireJob } from "../job.ts";

/** It has ended, and what it made is kept, as far as it can be. A server of an earlier version tells nothing of that. */
export const isSettled = ({ status, outputs }: Pick<WireJob, "status" | "outputs">): boolean =>
  status !== "queued" && status !== "running" && outputs?.state !== "moving";
