import { lstatSync, readdirSync, readFileSync, realpathSync, rmdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { ok, type Problem, type Result } from "../../base/result.ts";
import { removeTree } from "../../tools/remove-tree.ts";
import { replaceFile } from "../../tools/replace-file.ts";
import type { OwnLines, OwnNames } from "../core/machine/own-traces.ts";

type Done = Promise<Result<void, Problem>>;

/** What takes something away: `clear` some of a folder, `cut` lines from a file that stays, `rmdir` a folder in which nothing is left. */
export type TidyStep =
  | Readonly<{ kind: "remove"; path: string }>
  | (Readonly<{ kind: "clear" }> & OwnNames)
  | (Readonly<{ kind: "cut" }> & OwnLines)
  | Readonly<{ kind: "rmdir"; path: string }>
  | Readonly<{ kind: "stop"; pid: number; serverDir: string }>;

const MODE_BITS = 0o777;

export const describeTidying = (step: TidyStep): string => {
  switch (step.kind) {
    case "remove":
      return `remove ${step.path}`;
    case "clear":
      return `remove from ${step.folder}: ${step.names.join(", ")}`;
    case "cut":
      return `take ${step.lines.length === 1 ? "a line" : `${step.lines.length} lines`} out of ${step.path}`;
    case "rmdir":
      return `remove ${step.path} if nothing is left in it`;
    case "stop":
      return `stop the server (pid ${step.pid}) on ${step.serverDir}`;
  }
};

const cutLines = ({ path, lines }: OwnLines): void => {
  const file = realpathSync(path);
  const kept = readFileSync(file, "latin1")
    .split("\n")
    .filter((line) => !lines.includes(line));
  replaceFile(file, Buffer.from(kept.join("\n"), "latin1"), statSync(file).mode & MODE_BITS);
};

const removeNames = async ({ folder, names }: OwnNames): Promise<void> => {
  for (const name of names) await removeTree(join(folder, name));
};

const removeEmpty = (path: string): void => {
  if (lstatSync(path).isDirectory() && readdirSync(path).length === 0) rmdirSync(path);
};

export const tidy = async (step: TidyStep, stop: (pid: number) => Done): Done => {
  switch (step.kind) {
    case "remove":
      return ok(await removeTree(step.path));
    case "clear":
      return ok(await removeNames(step));
    case "cut":
      return ok(cutLines(step));
    case "rmdir":
      return ok(removeEmpty(step.path));
    case "stop":
      return stop(step.pid);
  }
};
