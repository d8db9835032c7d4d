import { existsSync, type FSWatcher, watch } from "node:fs";
import type { JobPaths } from "../job-folder/job-paths.ts";

const WINDING_DOWN_MS = 50;

const watchRenames = (folder: string, onRename: () => void): FSWatcher | null => {
  try {
    const watcher = watch(folder, { persistent: false }, (event) => {
      if (event === "rename") onRename();
    });
    watcher.on("error", () => watcher.close());
    return watcher;
  } catch {
    return null;
  }
};

/**
 * Calls back when the exit code is recorded or given up (both take it from its folder, where nothing else happens),
 * and once more when the session has had time to end.
 */
export const watchExit = (paths: JobPaths, onChange: () => void): (() => void) => {
  let timer: NodeJS.Timeout | undefined;
  const notify = (): void => {
    clearTimeout(timer);
    timer = setTimeout(onChange, WINDING_DOWN_MS);
    onChange();
  };
  const watcher = watchRenames(paths.pending, notify);
  if (!existsSync(paths.pendingExitCode)) timer = setTimeout(onChange, 0);
  return () => {
    clearTimeout(timer);
    watcher?.close();
  };
};
