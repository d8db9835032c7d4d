import { BYTES_PER_GB, findExpiry } from "../../core/upkeep/folder-plan.ts";
import type { TaskContext } from "../context.ts";

const INTERVAL_MS = 60_000;

type Context = Pick<TaskContext, "store" | "log" | "clock" | "settings">;

/** Deletes what is kept no longer and no client was told of lately; returns in how many milliseconds to look again. */
export const deleteUnusedArtifacts = async ({ store, log, clock, settings }: Context): Promise<number> => {
  const expiry = findExpiry({ days: settings.retentionDays, bytes: null }, clock());
  const deleted = await store.artifacts.deleteUnused({ expiry, maxBytes: settings.artifactGb * BYTES_PER_GB });
  if (!deleted.ok) log.error("artifacts could not be deleted", { message: deleted.error.message });
  else if (deleted.value > 0) log.info("artifacts deleted", { count: deleted.value });
  return INTERVAL_MS;
};
