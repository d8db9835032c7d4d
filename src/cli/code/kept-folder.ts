import { mkdtempSync, rmSync } from "node:fs";
import { INTERRUPTED } from "../../command-line/usage.ts";

/** A folder of our own, until `dispose`; what is started by `keep` is told when the process is to stop. */
export type KeptFolder = Readonly<{
  folder: string;
  keep: <Value>(start: (signal: AbortSignal) => Promise<Value>) => Promise<Value>;
  dispose: () => void;
}>;

const STOPPING = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

export const removeFolder = (folder: string): void => rmSync(folder, { recursive: true, force: true, maxRetries: 3 });

const listenForStops = (stop: () => void): (() => void) => {
  for (const signal of STOPPING) process.once(signal, stop);
  return () => {
    for (const signal of STOPPING) process.off(signal, stop);
  };
};

/**
 * `prefix` is its path but for some letters at the end. A stopped process waits for what it keeps, and removes its folder:
 * stops are heard from before there is a folder until after there is one.
 */
export const createKeptFolder = (prefix: string): KeptFolder => {
  const controller = new AbortController();
  let work: Promise<unknown> = Promise.resolve();
  let folder: string | null = null;
  const remove = (): void => (folder === null ? undefined : removeFolder(folder));
  process.once("exit", remove);
  const endListening = listenForStops(() => {
    controller.abort();
    void work.finally(() => process.exit(INTERRUPTED));
  });
  folder = mkdtempSync(prefix);
  const keep: KeptFolder["keep"] = (start) => {
    const started = start(controller.signal);
    work = started;
    return started;
  };
  const dispose = (): void => {
    remove();
    process.off("exit", remove);
    setImmediate(endListening);
  };
  return { folder, keep, dispose };
};
