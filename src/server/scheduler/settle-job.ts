import type { Action } from "../core/job-ending.ts";
import { changeJob, logFailure } from "./change-job.ts";
import type { SchedulerContext, SchedulerMemory } from "./context.ts";
import { finishJob } from "./finish-job.ts";

const ADOPTED = "adopted: its session lives";

export type SettleAction = Exclude<Action, { kind: "start" | "kill" }>;

export const isSettling = (action: Action): action is SettleAction => action.kind !== "start" && action.kind !== "kill";

/** Writes down what became of a job: it has ended, it turned out to run, or it never started. */
export const settleJob = async (
  context: SchedulerContext,
  memory: SchedulerMemory,
  action: SettleAction,
): Promise<void> => {
  const { id } = action.job;
  switch (action.kind) {
    case "adopt":
      return logFailure(context, id, await changeJob(context, id, { kind: "launch", handle: action.handle }, ADOPTED));
    case "requeue":
      return finishJob(context, memory, { job: action.job, event: { kind: "requeue", at: context.clock() } });
    case "finish":
      return finishJob(context, memory, action);
  }
};
