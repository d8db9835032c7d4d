import { spawnSync } from "node:child_process";
import { chmodSync, chownSync, copyFileSync, existsSync, mkdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { ok, type Result } from "../../base/result.ts";
import { DONE, type Failure, type Invocation, type Outcome, type Verb } from "../../command-line/command.ts";
import { readSwitch } from "../../command-line/flag-values.ts";
import { convertProblem, fail } from "../../command-line/usage.ts";
import { replaceWith } from "../../tools/replace-file.ts";
import type { Settings } from "../core/settings/settings.ts";
import { loadSettings, locateSettingsFile } from "../external/settings/load-settings.ts";
import { showSettings } from "../external/settings/show-settings.ts";

type Check = (path: string) => Result<Settings, Failure>;

const PRIVATE = 0o600;

const startDraft = (path: string, draft: string): void => {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  if (existsSync(path)) copyFileSync(path, draft);
  else writeFileSync(draft, "", { mode: PRIVATE });
  chmodSync(draft, PRIVATE);
};

const takeOver = (path: string, edited: string): void =>
  replaceWith(path, PRIVATE, (draft) => {
    copyFileSync(edited, draft);
    if (!existsSync(path)) return;
    const { uid, gid } = statSync(path);
    chownSync(draft, uid, gid);
  });

const NEEDS_TERMINAL = "an editor needs a terminal; elsewhere, set EDITOR to a program that edits the file it is given";

const openEditor = (draft: string): Result<void, Failure> => {
  if (!process.stdin.isTTY && !process.env["VISUAL"] && !process.env["EDITOR"]) return fail(NEEDS_TERMINAL);
  const editor = process.env["VISUAL"] || process.env["EDITOR"] || "vi";
  const { status, error } = spawnSync("sh", ["-c", 'exec $0 "$1"', editor, draft], { stdio: "inherit" });
  if (error !== undefined) return fail(`${editor} could not be run: ${error.message}`);
  return status === 0 ? ok(undefined) : fail(`${editor} ended with ${status}: nothing was changed`);
};

const editSettings = (path: string, check: Check): Result<void, Failure> => {
  const draft = `${path}.edit`;
  startDraft(path, draft);
  try {
    const edited = openEditor(draft);
    if (!edited.ok) return edited;
    const checked = check(draft);
    if (!checked.ok) return fail(`${checked.error.message}; nothing was changed`);
    takeOver(path, draft);
    return ok(undefined);
  } finally {
    rmSync(draft, { force: true });
  }
};

const show = (path: string, settings: Settings): void => {
  process.stderr.write(`${existsSync(path) ? "" : "there is no "}${path}\n`);
  process.stdout.write(showSettings(settings));
};

const run = async ({ flags }: Invocation): Promise<Outcome> => {
  const path = locateSettingsFile(flags);
  if (readSwitch(flags, "edit")) {
    const edited = editSettings(path, (draft) => convertProblem(loadSettings(flags, draft)));
    return edited.ok ? DONE : edited;
  }
  const settings = convertProblem(loadSettings(flags, path));
  if (settings.ok) show(path, settings.value);
  return settings.ok ? DONE : settings;
};

export const verb: Verb = {
  name: "config",
  usage: "nexus-server config [--edit]",
  summary: "show the settings, or edit their file",
  flags: [{ long: "edit", help: "in $EDITOR; a file with a mistake is not taken" }],
  maxWords: 0,
  examples: ["nexus-server config", "sudo nexus-server config --edit"],
  run,
};
