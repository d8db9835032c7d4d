import { type FSWatcher, utimesSync, watch } from "node:fs";
import { locatePid } from "../lock-folder.ts";

/** Has the server that runs on the folder look at its queue now; where it can't be told, it does at its next look. */
export const nudgeServer = (serverDir: string): void => {
  const now = new Date();
  try {
    utimesSync(locatePid(serverDir), now, now);
  } catch {
    return;
  }
};

const open = (serverDir: string, onNudge: () => void): FSWatcher | null => {
  try {
    return watch(locatePid(serverDir), { persistent: false }, onNudge);
  } catch {
    return null;
  }
};

/** Calls back when the folder's server is nudged, until it is ended. */
export const watchNudges = (serverDir: string, onNudge: () => void): (() => void) => {
  const watcher = open(serverDir, onNudge);
  watcher?.on("error", () => watcher.close());
  return () => watcher?.close();
};
