import { existsSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { describeError } from "../../base/describe-error.ts";
import { escapeText } from "../../base/escape-text.ts";
import { ok, type Result } from "../../base/result.ts";
import type { Failure, FlagValues } from "../../command-line/command.ts";
import { readList, readSwitch } from "../../command-line/flag-values.ts";
import { failUsage } from "../../command-line/usage.ts";
import { locateRepository } from "../code/git-repository.ts";
import { findKeyLine, parseToml, type Table } from "../settings/toml.ts";
import { readTextFile } from "../terminal/light-files.ts";
import { hint } from "../terminal/output.ts";
import { type KeyMistake, listKeyMistakes } from "./project-keys.ts";
import { chooseSettings, type ProjectSettings } from "./project-settings.ts";

/** The user's code, and what the file at its top says; `path` is null without one. `prefix` is where the user stands below `root`, empty at the top. */
export type Project = Readonly<{ path: string | null; root: string; prefix: string; settings: ProjectSettings }>;

type Place = Readonly<{ root: string; prefix: string; isVetted: boolean }>;

const PROJECT_FILE = ".nexus.toml";

const GIT_PLACES = ["GIT_DIR", "GIT_WORK_TREE"];
const ROOT = 0;

const listAbove = (folder: string): readonly string[] =>
  dirname(folder) === folder ? [folder] : [folder, ...listAbove(dirname(folder))];

const isSomewhereAbove = (cwd: string): boolean =>
  GIT_PLACES.some((name) => process.env[name] !== undefined) ||
  listAbove(cwd).some((folder) => existsSync(join(folder, PROJECT_FILE)));

const locatePlace = (cwd: string, flags: FlagValues): Result<Place, Failure> => {
  const located = locateRepository(cwd);
  const outside = { root: cwd, prefix: "", isVetted: false };
  if (!located.ok) return readSwitch(flags, "no-git") ? ok(outside) : located;
  const { top: root, prefix } = located.value ?? {};
  return ok(root === undefined || prefix === undefined ? outside : { root, prefix, isVetted: true });
};

const isForeign = (path: string, isVetted: boolean): boolean =>
  !isVetted && ![process.getuid?.(), ROOT].includes(statSync(path).uid);

const readText = async (path: string, isVetted: boolean): Promise<Result<string | null, Failure>> => {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined) return ok(null);
  if (!found.isFile()) return failUsage(`${path} is no file`);
  if (isForeign(path, isVetted)) {
    hint(`Passed over: ${path} belongs to someone else, and is in no repository`);
    return ok(null);
  }
  try {
    return ok(await readTextFile(path));
  } catch (error) {
    return failUsage(`${path} can't be read: ${describeError(error)}`);
  }
};

const describeMistakes = (path: string, text: string, mistakes: readonly KeyMistake[]): string => {
  const told = mistakes.map(({ name, key, problem }) => `${findKeyLine(text, key)}: ${name} ${problem}`);
  return escapeText(`${path}${told.map((one, index) => (index === 0 ? one : one.replace(/^(, |: )/, ""))).join("; ")}`);
};

const parseProject = async (path: string, text: string): Promise<Result<Table, Failure>> => {
  const table = await parseToml(text);
  if (!table.ok) return failUsage(`${path}${table.error.line}: ${table.error.problem}`);
  const mistakes = listKeyMistakes(table.value);
  return mistakes.length === 0 ? table : failUsage(describeMistakes(path, text, mistakes));
};

const readSettings = async (path: string, text: string, target: string): Promise<Result<ProjectSettings, Failure>> => {
  const table = await parseProject(path, text);
  return table.ok ? ok(chooseSettings(table.value, target)) : table;
};

/** Looks for it at the top of the repository, outside one in the folder itself; there only for one that nobody else has put there. */
export const readProject = async (flags: FlagValues, target: string): Promise<Result<Project, Failure>> => {
  const cwd = process.cwd();
  const none = { path: null, root: cwd, prefix: "", settings: {} };
  if (readList(flags, "link").length === 0 && !isSomewhereAbove(cwd)) return ok(none);
  const place = locatePlace(cwd, flags);
  if (!place.ok) return place;
  const { root, prefix, isVetted } = place.value;
  const path = join(root, PROJECT_FILE);
  const text = await readText(path, isVetted);
  if (!text.ok) return text;
  if (text.value === null) return ok({ ...none, root, prefix });
  const settings = await readSettings(path, text.value, target);
  return settings.ok ? ok({ path, root, prefix, settings: settings.value }) : settings;
};
