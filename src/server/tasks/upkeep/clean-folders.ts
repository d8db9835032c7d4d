import { describeError } from "../../../base/describe-error.ts";
import { isEnded, type JobId } from "../../core/jobs/job.ts";
import type { FolderRemoval } from "../../core/upkeep/folder-plan.ts";
import type { TaskContext } from "../context.ts";
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
    return job !== null && isEnded(job) ? job.completedAt : null;
  };

const clear = async (
  { log }: TaskContext,
  { folders }: Given,
  { id, keepsRecord, bytes }: FolderRemoval,
): Promise<number> => {
  try {
    await folders.clear(id, keepsRecord);
    return bytes;
  } catch (error) {
    log.warn("an old job's folder could not be removed", { job_id: id, message: describeError(error) });
    return 0;
  }
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
    if (left.length === 0) left = await planCleaning(cleaning, context.clock());
    if (left.length === 0) return INTERVAL_MS;
    const slice = left.slice(0, SLICE);
    left = left.slice(SLICE);
    let bytes = 0;
    for (const removal of slice) bytes += await clear(context, given, removal);
    context.log.info("old job folders removed", { jobs: slice.map(({ id }) => id), bytes });
    return left.length > 0 ? PAUSE_MS : INTERVAL_MS;
  };
};
