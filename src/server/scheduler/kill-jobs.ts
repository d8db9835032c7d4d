import type { Action } from "../core/job-ending.ts";
import type { SchedulerContext, SchedulerMemory } from "./context.ts";

type KillAction = Extract<Action, { kind: "kill" }>;

/** One call for all that get TERM, one for all that get KILL; the next probes tell when they are gone. */
export const killJobs = async (
  context: SchedulerContext,
  memory: SchedulerMemory,
  actions: readonly KillAction[],
): Promise<void> => {
  for (const force of [false, true]) {
    const jobs = actions.filter((action) => action.force === force).map((action) => action.job);
    if (jobs.length === 0) continue;
    for (const job of jobs) if (!memory.killedSince.has(job.id)) memory.killedSince.set(job.id, context.uptime());
    context.onStep?.("kill decided");
    const killed = await context.executor.kill(jobs, force);
    if (!killed.ok) context.log.error("kill failed", { message: killed.error.message });
  }
};
