import type { TaskContext } from "../context.ts";

const INTERVAL_MS = 60_000;

/** Deletes what no job needs and no client was told of lately; returns in how many milliseconds to look again. */
export const deleteUnusedArtifacts = async ({ store, log }: TaskContext): Promise<number> => {
  const deleted = await store.artifacts.deleteUnused();
  if (!deleted.ok) log.error("artifacts could not be deleted", { message: deleted.error.message });
  else if (deleted.value > 0) log.info("artifacts deleted", { count: deleted.value });
  return INTERVAL_MS;
};
