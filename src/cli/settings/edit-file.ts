import { spawnSync } from "node:child_process";
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, rmSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import { ok, type Result } from "../../base/result.ts";
import { DONE, type Failure, type Outcome } from "../../command-line/command.ts";
import { fail, failUsage } from "../../command-line/usage.ts";
import { isTerminal } from "../terminal/is-terminal.ts";
import { hint } from "../terminal/output.ts";
import { canPrompt, confirm } from "../terminal/prompt.ts";
import { writePrivateFile } from "./write-file.ts";

/** What is wrong with the file at a path, in one line; null when nothing is. */
export type CheckFile = (path: string) => Promise<string | null>;

type Draft = Readonly<{ path: string; start: string }>;

const PRIVATE_FILE = 0o600;

const chooseEditor = (): readonly string[] =>
  (process.env["VISUAL"] || process.env["EDITOR"] || "vi").trim().split(/\s+/);

const createDraft = (path: string, template: string): Draft => {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const start = existsSync(path) ? readFileSync(path, "utf8") : template;
  const draft = `${path}.edit-${process.pid}`;
  const file = openSync(draft, "wx", PRIVATE_FILE);
  writeSync(file, start);
  closeSync(file);
  return { path: draft, start };
};

const openEditor = (draft: Draft): Result<void, Failure> => {
  const [program = "vi", ...words] = chooseEditor();
  const { status, error } = spawnSync(program, [...words, draft.path], { stdio: "inherit" });
  if (error !== undefined) return fail(`the editor "${program}" can't be started: set EDITOR to another one`);
  return status === 0 ? ok(undefined) : fail(`the editor "${program}" failed, so nothing was changed`);
};

const editUntilRight = async (draft: Draft, check: CheckFile): Promise<Result<void, Failure>> => {
  for (;;) {
    const edited = openEditor(draft);
    if (!edited.ok) return edited;
    const problem = await check(draft.path);
    if (problem === null) return ok(undefined);
    hint(problem);
    const again = canPrompt() ? await confirm("Edit it again?", "") : ok(false);
    if (!again.ok || !again.value) return fail("nothing was changed, as the new text is broken");
  }
};

const keepDraft = (path: string, draft: Draft): Outcome => {
  const text = readFileSync(draft.path, "utf8");
  if (text === draft.start) {
    hint("Nothing was changed.");
    return DONE;
  }
  const written = writePrivateFile(path, text);
  if (!written.ok) return written;
  hint(`${path} is changed.`);
  return DONE;
};

/** A copy is edited and takes the file's place only when it is right. */
export const editFile = async (
  path: string,
  { template, check }: Readonly<{ template: string; check: CheckFile }>,
): Promise<Outcome> => {
  if (!isTerminal("input") && !process.env["VISUAL"] && !process.env["EDITOR"])
    return failUsage(
      "an editor needs a terminal",
      "elsewhere, set EDITOR to a program that edits the file it is given",
    );
  const draft = createDraft(path, template);
  try {
    const edited = await editUntilRight(draft, check);
    return edited.ok ? keepDraft(path, draft) : edited;
  } finally {
    rmSync(draft.path, { force: true });
  }
};
