import type { JobId, RunningJob } from "../../core/jobs/job.ts";
import {
  type FindInputWaits,
  type InputWatch,
  isWaitingForInput,
  judgeInput,
  watchInput,
} from "../../core/running/input-wait.ts";
import { changeByEvent } from "../change-by-event.ts";
import type { TaskContext } from "../context.ts";

const LOOK_EVERY_MS = 30_000;

const listRunning = ({ store }: TaskContext): readonly RunningJob[] =>
  store.loadActiveJobs().flatMap((job) => (job.status === "running" ? [job] : []));

const judge = async (context: TaskContext, job: RunningJob, watch: InputWatch | undefined): Promise<void> => {
  const inputSince = judgeInput(job, watch, { uptime: context.uptime(), now: context.clock() });
  if (inputSince !== undefined) await changeByEvent(context, job.id, { kind: "report", reports: { inputSince } });
};

/** Returns a task that writes down which jobs wait for input, and since when. While one does it looks as often as at all else, for it may be answered. */
export const createInputWatch = (context: TaskContext, find: FindInputWaits): (() => Promise<number>) => {
  let watches: ReadonlyMap<JobId, InputWatch> = new Map();
  return async () => {
    const jobs = listRunning(context);
    const marks = jobs.length === 0 ? new Map<JobId, string>() : await find(jobs);
    const now = context.uptime();
    watches = new Map(
      jobs.flatMap((job) => {
        const mark = marks.get(job.id);
        return mark === undefined
          ? []
          : [[job.id, watchInput(job, { before: watches.get(job.id), mark, now })] as const];
      }),
    );
    await Promise.all(jobs.map((job) => judge(context, job, watches.get(job.id))));
    return listRunning(context).some(isWaitingForInput) ? context.settings.refreshRate * 1000 : LOOK_EVERY_MS;
  };
};
