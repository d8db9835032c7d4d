import { join } from "node:path";

/** Where a restored database waits to take its place; a server does not start while it does. */
export const locateWaiting = (serverDir: string): string => join(serverDir, "jobs.db.restoring");
