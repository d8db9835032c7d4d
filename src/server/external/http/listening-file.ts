import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Listening } from "./listen.ts";

const PRIVATE = 0o600;

const locate = (serverDir: string): string => join(serverDir, "server.listening");

const tryTo = <Value>(act: () => Value, otherwise: Value): Value => {
  try {
    return act();
  } catch {
    return otherwise;
  }
};

/** Tells, beside the pid file, where the server listens, a line for each place; the function in the answer takes that back. */
export const tellListening = (serverDir: string, { urls, socket }: Listening): (() => void) => {
  const path = locate(serverDir);
  const text = [...urls, `unix://${socket}`].map((place) => `${place}\n`).join("");
  tryTo(() => writeFileSync(path, text, { mode: PRIVATE }), undefined);
  return () => tryTo(() => rmSync(path, { force: true }), undefined);
};

/** Where the server of the folder said that it listens; only one that runs still does. */
export const readListening = (serverDir: string): readonly string[] =>
  tryTo(() => readFileSync(locate(serverDir), "utf8").trimEnd().split("\n"), []);
