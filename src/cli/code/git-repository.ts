import { ok, type Result } from "../../base/result.ts";
import type { Failure } from "../../command-line/command.ts";
import { fail } from "../../command-line/usage.ts";
import { type GitOutput, runGit } from "./run-git.ts";

/** `folder` is git's own, `prefix` is where the user stands below `top`, empty at the top; `hash` is the name of the repository's hash. */
export type Repository = Readonly<{
  top: string;
  folder: string;
  objects: string;
  index: string;
  prefix: string;
  hash: string;
}>;

const QUESTIONS = [
  "rev-parse",
  "--path-format=absolute",
  "--show-toplevel",
  "--absolute-git-dir",
  "--git-path",
  "objects",
  "--git-path",
  "index",
  "--show-object-format",
  "--show-prefix",
];

const REMEDY = /^\s*(git config --global --add safe\.directory .*)$/m;

const refuse = ({ problem, errors }: GitOutput): Result<never, Failure> => {
  const remedy = REMEDY.exec(errors)?.[1];
  return remedy === undefined
    ? fail(`no code can be taken from here: ${problem}`, "use --no-git to run without it")
    : fail(`git reads no repository that belongs to someone else (${problem})`, `if you trust this one: ${remedy}`);
};

/** Null where there is none. */
export const locateRepository = (cwd: string): Result<Repository | null, Failure> => {
  const asked = runGit(cwd, QUESTIONS, { env: { LC_ALL: "C" } });
  if (!asked.ok && asked.problem.includes("not a git repository")) return ok(null);
  if (!asked.ok) return refuse(asked);
  const [top = "", folder = "", objects = "", index = "", hash = "", ...prefix] = asked.text.split("\n");
  return ok({ top, folder, objects, index, hash, prefix: prefix.join("\n").replace(/\/$/, "") });
};
