import type { Database } from "bun:sqlite";

/** Differs whenever something may have been written since, by whom ever. */
export const createVersionReader = (db: Database): (() => string) => {
  const version = db.query<{ version: string }, []>(
    "select total_changes() || '.' || data_version as version from pragma_data_version",
  );
  return () => version.get()?.version ?? "";
};

/** The same, read anew only where something may have been written since; what is not committed yet is not remembered. */
export const rememberVersion = <Value>(db: Database, read: () => Value): (() => Value) => {
  const readVersion = createVersionReader(db);
  let known: Readonly<{ version: string; value: Value }> | null = null;
  return () => {
    if (db.inTransaction) return read();
    const version = readVersion();
    if (known?.version !== version) known = { version, value: read() };
    return known.value;
  };
};
