import { Database } from "bun:sqlite";
import { join } from "node:path";
import { waitUntil } from "./wait.ts";
import type { World } from "./world.ts";

const EXPIRE = `update jobs set details =
  json_set(details, '$.outputs.isWarned', json('true'), '$.outputs.keptUntil', ?) where id = ?`;

/** Makes an ended job one whose owner was told that its files go at that time, in Unix seconds. */
export const expireFiles = async ({ folder, job }: World, id: string, until: number): Promise<void> => {
  await waitUntil(async () => (await job(id)).outputs.state === "kept", "its files are kept");
  const db = new Database(join(folder, "server", "jobs.db"));
  try {
    db.exec("pragma busy_timeout = 5000");
    db.query(EXPIRE).run(until, id);
  } finally {
    db.close();
  }
};
