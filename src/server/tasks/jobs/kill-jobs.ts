import type { ActiveJob, JobId } from "../../core/jobs/job.ts";
import type { Observation } from "../../core/running/executor.ts";
import type { Kill } from "../../core/running/job-ending.ts";
import { planLeftoverNotes } from "../../core/running/leftovers.ts";
import { changeByEvent } from "../change-by-event.ts";
import type { TaskContext, TaskMemory } from "../context.ts";

const noteLeftovers = async (context: TaskContext, job: ActiveJob, seen: Observation | undefined): Promise<void> => {
  const notes = seen?.kind === "exited" ? planLeftoverNotes(job, seen.left) : [];
  if (notes.length > 0) await changeByEvent(context, job.id, { kind: "report", reports: {}, notes });
};

/** Before anything that outlived its command is ended, that is written down. One call for all that get TERM, one for all that get KILL; the next probes tell when they are gone. */
export const killJobs = async (
  context: TaskContext,
  memory: TaskMemory,
  { kills, observations }: Readonly<{ kills: readonly Kill[]; observations: ReadonlyMap<JobId, Observation> }>,
): Promise<void> => {
  const first = kills.filter(({ job }) => !memory.killedSince.has(job.id));
  await Promise.all(first.map(({ job }) => noteLeftovers(context, job, observations.get(job.id))));
  for (const force of [false, true]) {
    const jobs = kills.filter((kill) => kill.force === force).map(({ job }) => job);
    if (jobs.length === 0) continue;
    for (const job of jobs) if (!memory.killedSince.has(job.id)) memory.killedSince.set(job.id, context.uptime());
    context.onStep?.("kill decided");
    const killed = await context.executor.kill(jobs, force);
    if (!killed.ok) context.log.error("kill failed", { message: killed.error.message });
  }
};
