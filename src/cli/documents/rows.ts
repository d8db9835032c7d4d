import { ok, type Result } from "../../base/result.ts";
import { suggestNearest } from "../../base/suggest.ts";
import type { Failure, Flag, FlagValues } from "../../command-line/command.ts";
import { readSwitch, readText } from "../../command-line/flag-values.ts";
import { failUsage } from "../../command-line/usage.ts";
import { print, printJson } from "../terminal/output.ts";

type Row = Readonly<Record<string, unknown>>;

/** For a verb that shows a list, beside `--json`. */
export const ROW_FLAGS: readonly Flag[] = [
  { long: "jsonl", help: "as JSON, one a line" },
  { long: "fields", value: "A,B", help: "as JSON, only these fields" },
];

const readFields = (flags: FlagValues): readonly string[] | null => readText(flags, "fields")?.split(",") ?? null;

/** Whether JSON is asked for, in whichever form. */
export const wantsJson = (flags: FlagValues): boolean =>
  readSwitch(flags, "json") || readSwitch(flags, "jsonl") || readFields(flags) !== null;

/** Whether the rows of what a verb shows have the fields that are asked for. */
export const checkFields = async (flags: FlagValues, words: string): Promise<Result<void, Failure>> => {
  const asked = readFields(flags);
  if (asked === null) return ok(undefined);
  const { listFields } = await import("./describe-documents.ts");
  const known = listFields(words);
  const unknown = asked.find((field) => !known.includes(field));
  if (unknown === undefined) return ok(undefined);
  const nearest = suggestNearest(unknown, known);
  return failUsage(
    `"${unknown}" is no field of what nx ${words} shows`,
    nearest === null ? `there are: ${known.join(", ")}` : `did you mean ${nearest}?`,
  );
};

const pick = (row: Row, fields: readonly string[] | null): Row =>
  fields === null ? row : Object.fromEntries(fields.map((field) => [field, row[field] ?? null]));

/** As one JSON document, or one a line, with the fields that are asked for. */
export const printRows = (rows: readonly Row[], flags: FlagValues): void => {
  const fields = readFields(flags);
  const picked = rows.map((row) => pick(row, fields));
  if (readSwitch(flags, "jsonl")) for (const row of picked) print(JSON.stringify(row));
  else printJson(picked);
};
