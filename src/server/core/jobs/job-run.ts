import { describeWandbRun } from "../../../wire/wandb-text.ts";
import type { Job } from "./job.ts";

/** What people are told of the job's W&B run; null where none is known. */
export const tellRun = (job: Job): string | null =>
  "wandbUrl" in job ? describeWandbRun(job.wandbUrl, job.wandbNote ?? null) : null;
