import { type Excesses, judgeVram } from "../../core/running/vram-use.ts";
import { changeByEvent } from "../change-by-event.ts";
import type { TaskContext } from "../context.ts";

const LOOK_EVERY_MS = 10_000;

/** Returns a task that notes how much memory of GPUs jobs have, and ends those that have far more than they booked beside others. */
export const createVramWatch = (context: TaskContext): (() => Promise<number>) => {
  const { store, settings } = context;
  let before: Excesses = new Map();
  return async () => {
    const isAnyThere = store.loadActiveJobs().some(({ gpuIdxs }) => gpuIdxs.length > 0);
    const reading = isAnyThere ? await context.gpus.readNow() : null;
    const gpus = reading?.ok ? reading.value : [];
    const judged = judgeVram({ active: store.loadActiveJobs(), gpus, isEnforced: settings.vramEnforce, before });
    before = judged.excesses;
    for (const { id, event } of judged.changes) await changeByEvent(context, id, event);
    return LOOK_EVERY_MS;
  };
};
