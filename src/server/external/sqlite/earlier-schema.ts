import type { Database } from "bun:sqlite";

const NEEDED = ["id", "command", "status", "created_at"];

export const listColumns = (db: Database, table: string): readonly string[] =>
  db
    .query<{ name: string }, [string]>("select name from pragma_table_info(?)")
    .all(table)
    .map(({ name }) => name);

/** Whether the database is one of the earlier Nexus, in Python, which numbered no schemas. */
export const isOfEarlierNexus = (db: Database): boolean => {
  const version = db.query<{ user_version: number }, []>("pragma user_version").get()?.user_version;
  const columns = listColumns(db, "jobs");
  return version === 0 && NEEDED.every((name) => columns.includes(name));
};
