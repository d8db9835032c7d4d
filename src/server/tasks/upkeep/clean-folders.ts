import { describeError } from "../../../base/describe-error.ts";
import { findKeptSince, isEnded, type JobId } from "../../core/jobs/job.ts";
import type { FolderRemoval, Warning } from "../../core/upkeep/folder-plan.ts";
import { changeByEvent } from "../change-by-event.ts";
import type { TaskContext } from "../context.ts";
import { forgetOutputs } from "./forget-outputs.ts";
import { type Cleaning, planCleaning } from "./plan-cleaning.ts";

const FIRST_LOOK_MS = 120_000;
const INTERVAL_MS = 3_600_000;
const PAUSE_MS = 500;
const SLICE = 10;

type Given = Omit<Cleaning, "findEnd">;

const createFindEnd =
  ({ store }: TaskContext): Cleaning["findEnd"] =>
  (id: JobId) => {
    const job = store.findJob(id);
    return job !== null && isEnded(job) ? { endedAt: findKeptSince(job), outputs: job.outputs } : null;
  };

const noteExpiry = (context: TaskContext, { id, until }: Warning, isWarned: boolean): Promise<unknown> =>
  changeByEvent(context, id, { kind: "account", outputs: { isWarned, keptUntil: until } });

const clear = async (
  context: TaskContext,
  { folders }: Given,
  { id, keepsRecord, keepsOutputs, bytes }: FolderRemoval,
): Promise<number> => {
  const { log } = context;
  try {
    await folders.clear(id, keepsRecord, keepsOutputs);
    if (!keepsOutputs) await forgetOutputs(context, id);
    return bytes;
  } catch (error) {
    log.warn("an old job's folder could not be removed", { job_id: id, message: describeError(error) });
    return 0;
  }
};

const planAndWarn = async (context: TaskContext, cleaning: Cleaning): Promise<readonly FolderRemoval[]> => {
  const { removals, warnings, spared } = await planCleaning(cleaning, context.clock());
  for (const warning of warnings) await noteExpiry(context, warning, true);
  for (const warning of spared) await noteExpiry(context, warning, false);
  return removals;
};

/** Returns a task that removes what is kept no longer, some folders at a time, and looks again each hour. */
export const createFolderCleaning = (
  context: TaskContext,
  given: Given,
  firstLookMs: number = FIRST_LOOK_MS,
): (() => Promise<number>) => {
  const cleaning = { ...given, findEnd: createFindEnd(context) };
  let isFirstLook = firstLookMs > 0;
  let left: readonly FolderRemoval[] = [];
  return async () => {
    if (isFirstLook) {
      isFirstLook = false;
      return firstLookMs;
    }
    if (left.length === 0) left = await planAndWarn(context, cleaning);
    if (left.length === 0) return INTERVAL_MS;
    const slice = left.slice(0, SLICE);
    left = left.slice(SLICE);
    let bytes = 0;
    for (const removal of slice) bytes += await clear(context, given, removal);
    context.log.info("old job folders removed", { jobs: slice.map(({ id }) => id), bytes });
    return left.length > 0 ? PAUSE_MS : INTERVAL_MS;
  };
};
