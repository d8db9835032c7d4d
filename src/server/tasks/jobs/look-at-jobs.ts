import type { RunningJob } from "../../core/jobs/job.ts";
import { judgeStalls, type StallCounts, type StallFacts } from "../../core/running/stall-watch.ts";
import { changeByEvent } from "../change-by-event.ts";
import type { TaskContext } from "../context.ts";

const LOOK_EVERY_MS = 10_000;
const RESTS_BETWEEN_LOOKS = 5;
const MOST_LOOKS_LEFT_OUT = 3;

/** In how many milliseconds running jobs are looked at again: ten seconds, or less where all else is looked at more often than usual. */
export const chooseLookDelay = ({ settings }: Pick<TaskContext, "settings">): number =>
  Math.min(LOOK_EVERY_MS, settings.refreshRate * 1000 * RESTS_BETWEEN_LOOKS);

export const listRunning = ({ store }: TaskContext): readonly RunningJob[] =>
  store.loadActiveJobs().flatMap((job) => (job.status === "running" ? [job] : []));

type Watched = Pick<StallFacts, "stall" | "jobs" | "find" | "limitOf">;

/** Returns what writes down, after each look, which of the jobs have done nothing for long, and which are ended for that. */
export const createStallWatch = (context: TaskContext): ((watched: Watched) => Promise<void>) => {
  let before: StallCounts = new Map();
  return async (watched) => {
    const maxGapS = (MOST_LOOKS_LEFT_OUT * chooseLookDelay(context)) / 1000;
    const { counts, changes } = judgeStalls({ ...watched, before, nowS: context.uptime(), maxGapS });
    before = counts;
    for (const { id, event } of changes) await changeByEvent(context, id, event);
  };
};
