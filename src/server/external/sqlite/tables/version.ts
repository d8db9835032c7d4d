import type { Database } from "bun:sqlite";

/** Differs whenever something may have been written since, by whom ever. */
export const createVersionReader = (db: Database): (() => string) => {
  const version = db.query<{ version: string }, []>(
    "select total_changes() || '.' || data_version as version from pragma_data_version",
  );
  return () => version.get()?.version ?? "";
};
