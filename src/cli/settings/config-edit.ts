import { existsSync, readFileSync } from "node:fs";
import { isDeepStrictEqual } from "node:util";
import { ok, type Result } from "../../base/result.ts";
import type { Failure } from "../../command-line/command.ts";
import { fail } from "../../command-line/usage.ts";
import { type Config, locateConfig, readConfig } from "./config-file.ts";
import { writePrivateFile } from "./write-file.ts";

/** What is to be in the file; null takes it out. */
export type ConfigChange = Readonly<{
  options?: Readonly<Record<string, unknown>>;
  targets?: Readonly<Record<string, Readonly<Record<string, string | number>> | null>>;
}>;

type Patching = typeof import("@decimalturn/toml-patch");

const isTable = (value: unknown): value is Config => typeof value === "object" && value !== null;

const mergeEntries = (before: Config, changes: Config): Config =>
  Object.fromEntries(Object.entries({ ...before, ...changes }).filter(([, value]) => value !== null));

const applyChange = (before: Config, { options = {}, targets = {} }: ConfigChange): Config => {
  const old = before["targets"];
  const merged = mergeEntries(isTable(old) ? old : {}, targets);
  return mergeEntries(before, { ...options, targets: Object.keys(merged).length === 0 ? null : merged });
};

const appendTables = (text: string, { targets = {} }: ConfigChange, { stringify }: Patching): string => {
  const added = Object.entries(targets).flatMap(([name, entry]) =>
    entry === null ? [] : [`[targets.${name}]\n${stringify(entry)}`],
  );
  if (added.length === 0) return text;
  return [...(text.trim() === "" ? [] : [text.replace(/\n*$/, "\n")]), ...added].join("\n");
};

const reads = (text: string, wanted: Config, { parse }: Patching): boolean => {
  try {
    return isDeepStrictEqual(structuredClone(parse(text)), structuredClone(wanted));
  } catch {
    return false;
  }
};

const withoutNewTables = (before: Config, change: ConfigChange): ConfigChange => {
  const old = before["targets"];
  const entries = Object.entries(change.targets ?? {});
  const known = entries.filter(([name, entry]) => entry === null || (isTable(old) && Object.hasOwn(old, name)));
  return { ...change, targets: Object.fromEntries(known) };
};

const onlyNewTables = (before: Config, change: ConfigChange): ConfigChange => {
  const known = withoutNewTables(before, change).targets ?? {};
  const entries = Object.entries(change.targets ?? {}).filter(([name]) => !Object.hasOwn(known, name));
  return { targets: Object.fromEntries(entries) };
};

/** The changed text, with all comments and unknown keys of the old; null when no safe way is known. */
export const editConfigText = async (text: string, change: ConfigChange): Promise<string | null> => {
  const patching = await import("@decimalturn/toml-patch");
  const before: Config = patching.parse(text);
  const wanted = applyChange(before, change);
  const patched = patching.patch(text, applyChange(before, withoutNewTables(before, change)));
  const appended = appendTables(patched, onlyNewTables(before, change), patching);
  const drafts = [appended, patching.patch(text, wanted)];
  return drafts.find((draft) => reads(draft, wanted, patching)) ?? null;
};

/** A file that can't be read is left as it is. */
export const changeConfig = async (change: ConfigChange): Promise<Result<void, Failure>> => {
  const readable = await readConfig();
  if (!readable.ok) return readable;
  const path = locateConfig();
  const edited = await editConfigText(existsSync(path) ? readFileSync(path, "utf8") : "", change);
  if (edited === null) return fail(`${path} can't be changed without losing something: use nx config edit`);
  return edited === "" && !existsSync(path) ? ok(undefined) : writePrivateFile(path, edited);
};
