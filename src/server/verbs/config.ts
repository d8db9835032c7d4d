import { spawnSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname } from "node:path";
import { err, ok, type Result } from "../../base/result.ts";
import type { Settings } from "../core/settings/settings.ts";
import { loadSettings, locateSettingsFile } from "../external/settings/load-settings.ts";
import { showSettings } from "../external/settings/show-settings.ts";
import type { Mistake, ServerVerb } from "../server-verb.ts";

type Check = (path: string) => Result<Settings, Mistake>;

const PRIVATE = 0o600;

const startDraft = (path: string, draft: string): void => {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  if (existsSync(path)) copyFileSync(path, draft);
  else writeFileSync(draft, "", { mode: PRIVATE });
  chmodSync(draft, PRIVATE);
};

const replaceFile = (path: string, draft: string): void => {
  if (existsSync(path)) {
    const { uid, gid } = statSync(path);
    chownSync(draft, uid, gid);
  }
  renameSync(draft, path);
};

const NEEDS_TERMINAL = "an editor needs a terminal; elsewhere, set EDITOR to a program that edits the file it is given";

const openEditor = (draft: string): Result<void, Mistake> => {
  if (!process.stdin.isTTY && !process.env["VISUAL"] && !process.env["EDITOR"]) return err({ message: NEEDS_TERMINAL });
  const editor = process.env["VISUAL"] || process.env["EDITOR"] || "vi";
  const { status, error } = spawnSync("sh", ["-c", 'exec $0 "$1"', editor, draft], { stdio: "inherit" });
  if (error !== undefined) return err({ message: `${editor} could not be run: ${error.message}` });
  return status === 0 ? ok(undefined) : err({ message: `${editor} ended with ${status}: nothing was changed` });
};

const editSettings = (path: string, check: Check): Result<void, Mistake> => {
  const draft = `${path}.edit`;
  startDraft(path, draft);
  try {
    const edited = openEditor(draft);
    if (!edited.ok) return edited;
    const checked = check(draft);
    if (!checked.ok) return err({ message: `${checked.error.message}; nothing was changed` });
    replaceFile(path, draft);
    return ok(undefined);
  } finally {
    rmSync(draft, { force: true });
  }
};

const show = (path: string, settings: Settings): void => {
  process.stderr.write(`${existsSync(path) ? "" : "there is no "}${path}\n`);
  process.stdout.write(showSettings(settings));
};

export const runConfig: ServerVerb["run"] = async ({ flags }) => {
  const path = locateSettingsFile(flags);
  if (flags["edit"] === true) {
    const edited = editSettings(path, (draft) => loadSettings(flags, draft));
    return edited.ok ? ok(0) : edited;
  }
  const settings = loadSettings(flags, path);
  if (settings.ok) show(path, settings.value);
  return settings.ok ? ok(0) : settings;
};
