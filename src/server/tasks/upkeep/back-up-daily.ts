import { describeError } from "../../../base/describe-error.ts";
import { type Backups, isBackupDue, selectExpiredBackups } from "../../core/upkeep/backups.ts";
import type { TaskContext } from "../context.ts";

const FIRST_LOOK_MS = 60_000;
const INTERVAL_MS = 600_000;
const RETRY_MS = 3_600_000;

type Outcome = "made" | "failed";

const removeExpired = async ({ clock }: TaskContext, backups: Backups): Promise<void> => {
  for (const time of selectExpiredBackups(backups.listTimes(), clock())) await backups.remove(time);
};

const backUp = async (context: TaskContext, backups: Backups): Promise<Outcome> => {
  try {
    const made = await backups.make(context.clock());
    if (!made.ok) {
      context.log.error("backup failed", { message: made.error.message });
      return "failed";
    }
    context.log.info("backup made", { path: made.value });
    await removeExpired(context, backups);
    return "made";
  } catch (error) {
    context.log.error("backup failed", { message: describeError(error) });
    return "failed";
  }
};

/** Returns a task that begins a backup when the last is a day old, and does not wait for it; one at a time. */
export const createDailyBackup = (
  context: TaskContext,
  backups: Backups,
  firstLookMs: number = FIRST_LOOK_MS,
): (() => Promise<number>) => {
  let isFirstLook = true;
  let isUnderWay = false;
  let retryAt = 0;
  const begin = async (): Promise<void> => {
    isUnderWay = true;
    const outcome = await backUp(context, backups);
    if (outcome === "failed") retryAt = performance.now() + RETRY_MS;
    isUnderWay = false;
  };
  return async () => {
    if (isFirstLook && firstLookMs > 0) {
      isFirstLook = false;
      return firstLookMs;
    }
    const mayTry = !isUnderWay && performance.now() >= retryAt;
    if (mayTry && isBackupDue(backups.listTimes(), context.clock())) void begin();
    return INTERVAL_MS;
  };
};
