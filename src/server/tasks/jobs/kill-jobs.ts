import type { Kill } from "../../core/running/job-ending.ts";
import type { TaskContext, TaskMemory } from "../context.ts";

/** One call for all that get TERM, one for all that get KILL; the next probes tell when they are gone. */
export const killJobs = async (context: TaskContext, memory: TaskMemory, kills: readonly Kill[]): Promise<void> => {
  for (const force of [false, true]) {
    const jobs = kills.filter((kill) => kill.force === force).map(({ job }) => job);
    if (jobs.length === 0) continue;
    for (const job of jobs) if (!memory.killedSince.has(job.id)) memory.killedSince.set(job.id, context.uptime());
    context.onStep?.("kill decided");
    const killed = await context.executor.kill(jobs, force);
    if (!killed.ok) context.log.error("kill failed", { message: killed.error.message });
  }
};
