import { Database } from "bun:sqlite";
import { join } from "node:path";
import type { World } from "./world.ts";

/** Makes a job one whose owner was told that its files go at that time, in Unix seconds. */
export const expireFiles = ({ folder }: Pick<World, "folder">, id: string, until: number): void => {
  const db = new Database(join(folder, "server", "jobs.db"));
  try {
    db.exec("pragma busy_timeout = 5000");
    db.query(
      "update jobs set details = json_set(details, '$.outputs.isWarned', json('true'), '$.outputs.keptUntil', ?) where id = ?",
    ).run(until, id);
  } finally {
    db.close();
  }
};
