import { ok, type Result } from "../../base/result.ts";
import type { Failure } from "../../command-line/command.ts";
import { fail } from "../../command-line/usage.ts";
import { runGit } from "./run-git.ts";

/** `prefix` is where the user stands below `top`, empty at the top; `hash` is the name of the repository's hash. */
export type Repository = Readonly<{ top: string; objects: string; index: string; prefix: string; hash: string }>;

const QUESTIONS = [
  "rev-parse",
  "--path-format=absolute",
  "--show-toplevel",
  "--git-path",
  "objects",
  "--git-path",
  "index",
  "--show-object-format",
  "--show-prefix",
];

/** Null where there is none. */
export const locateRepository = (cwd: string): Result<Repository | null, Failure> => {
  const asked = runGit(cwd, QUESTIONS, { env: { LC_ALL: "C" } });
  if (!asked.ok && asked.problem.includes("not a git repository")) return ok(null);
  if (!asked.ok) return fail(`no code can be taken from here: ${asked.problem}; use --no-git to run without it`);
  const [top = "", objects = "", index = "", hash = "", prefix = ""] = asked.text.split("\n");
  return ok({ top, objects, index, hash, prefix: prefix.replace(/\/$/, "") });
};
