import { escapeText } from "../../base/escape-text.ts";
import { ok, type Result } from "../../base/result.ts";
import { suggestNearest } from "../../base/suggest.ts";
import type { Failure, Flag, FlagValues, Invocation, Verb } from "../../command-line/command.ts";
import { readSwitch, readText } from "../../command-line/flag-values.ts";
import { failUsage } from "../../command-line/usage.ts";
import { print, printJson } from "../terminal/output.ts";

type Row = Readonly<Record<string, unknown>>;

const ROW_FLAGS: readonly Flag[] = [
  { long: "jsonl", help: "as JSON, one a line" },
  { long: "fields", value: "A,B", help: "as JSON, only these fields" },
];

const readFields = (flags: FlagValues): readonly string[] | null => readText(flags, "fields")?.split(",") ?? null;

const wantsRows = (flags: FlagValues): boolean => readSwitch(flags, "jsonl") || readFields(flags) !== null;

/** Whether JSON is asked for, in whichever form. */
export const wantsJson = (flags: FlagValues): boolean => readSwitch(flags, "json") || wantsRows(flags);

const checkFields = (asked: readonly string[], known: readonly string[], words: string): Result<void, Failure> => {
  const unknown = asked.find((field) => !known.includes(field));
  if (unknown === undefined) return ok(undefined);
  const nearest = suggestNearest(unknown, known);
  return failUsage(
    `"${escapeText(unknown)}" is no field of what nx ${words} shows`,
    nearest === null ? `there are: ${known.join(", ")}` : `did you mean ${nearest}?`,
  );
};

const listNames = ({ name }: Verb, { flags, words }: Invocation): readonly string[] => [
  ...(readSwitch(flags, "dry-run") ? [`${name} --dry-run`] : []),
  `${name} ${words[0] ?? "list"}`,
  name,
];

const checkRows = async (verb: Verb, invocation: Invocation): Promise<Result<void, Failure>> => {
  const { flags } = invocation;
  if (!wantsRows(flags)) return ok(undefined);
  const { findDocument, listRowFields } = await import("./describe-documents.ts");
  const document = findDocument(listNames(verb, invocation));
  if (document === null) return ok(undefined);
  const known = listRowFields(document);
  if (known !== null) return checkFields(readFields(flags) ?? [], known, document.words);
  return failUsage(`--jsonl and --fields are for lists: nx ${document.words} shows none`, "use --json");
};

/** A verb that shows a list, with the flags for its rows beside `--json`; they are checked before anything is done. */
export const listRows = (verb: Verb): Verb => ({
  ...verb,
  flags: verb.flags.flatMap((flag) => (flag.long === "json" ? [flag, ...ROW_FLAGS] : [flag])),
  run: async (invocation) => {
    const checked = await checkRows(verb, invocation);
    return checked.ok ? verb.run(invocation) : checked;
  },
});

const pick = (row: Row, fields: readonly string[] | null): Row =>
  fields === null ? row : Object.fromEntries(fields.map((field) => [field, row[field] ?? null]));

/** As one JSON document, or rows one a line, with the fields that are asked for. `whole` is the document where it is more than its rows. */
export const printRows = (rows: readonly Row[], flags: FlagValues, whole: unknown = rows): void => {
  const fields = readFields(flags);
  const picked = rows.map((row) => pick(row, fields));
  if (readSwitch(flags, "jsonl")) for (const row of picked) print(JSON.stringify(row));
  else printJson(fields === null ? whole : picked);
};
