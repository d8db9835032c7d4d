import { ok, type Result } from "../../base/result.ts";
import type { Failure } from "../../command-line/command.ts";
import { failUsage } from "../../command-line/usage.ts";
import { MAX_BATCH_SIZE } from "../../wire/limits.ts";

/** A whole number from `min` to `max`, both included. */
export type DrawNumber = (min: number, max: number) => number;

type Part =
  | Readonly<{ kind: "text"; text: string }>
  | Readonly<{ kind: "product"; values: readonly string[] }>
  | Readonly<{ kind: "paired"; values: readonly string[] }>
  | Readonly<{ kind: "random"; min: number; max: number }>;

const TOKEN =
  /\\([{}])|\{\{(?!RANDINT)([^{}]*)\}\}|\{RANDINT(?::(-?\d+),(-?\d+))?\}|(?<!\$)\{(?!\s*\\?["'][^"']*["']\s*:|RANDINT)([^{}\n]*)\}/g;
const DEFAULT_MAX = 100;
const MAX_SPAN = 2 ** 48 - 1;

const splitValues = (list: string): readonly string[] =>
  list.split(",").map((value) => value.replaceAll("\0", " ").trim());

const toPart = (match: RegExpExecArray): Part => {
  const [whole, escaped, paired, min, max, product] = match;
  if (escaped !== undefined) return { kind: "text", text: escaped };
  if (paired?.includes(",") === true) return { kind: "paired", values: splitValues(paired) };
  if (product?.includes(",") === true) return { kind: "product", values: splitValues(product) };
  if (whole.startsWith("{RANDINT")) return { kind: "random", min: Number(min ?? 0), max: Number(max ?? DEFAULT_MAX) };
  return { kind: "text", text: whole };
};

const splitCommand = (command: string): readonly Part[] => {
  const parts: Part[] = [];
  let end = 0;
  for (const match of command.matchAll(TOKEN)) {
    parts.push({ kind: "text", text: command.slice(end, match.index) }, toPart(match));
    end = match.index + match[0].length;
  }
  return [...parts, { kind: "text", text: command.slice(end) }];
};

const PROGRAM_TEXT = /[$;(]|: /;

/** The lists of a command that look like a part of a program, as in awk, rather than values to choose from. */
export const findDoubtfulLists = (command: string): readonly string[] =>
  [...command.matchAll(TOKEN)]
    .filter((match) => ["product", "paired"].includes(toPart(match).kind) && PROGRAM_TEXT.test(match[0]))
    .map(([whole]) => whole.replaceAll("\0", " "));

const countJobs = (parts: readonly Part[]): number => {
  const product = parts.reduce((count, part) => (part.kind === "product" ? count * part.values.length : count), 1);
  return product * countPairs(parts);
};

const countPairs = (parts: readonly Part[]): number =>
  parts.reduce((count, part) => (part.kind === "paired" ? Math.max(count, part.values.length) : count), 1);

const pickValues = (parts: readonly Part[], number: number): ReadonlyMap<Part, string> => {
  const picked = new Map<Part, string>();
  let rest = number;
  for (const part of parts.toReversed()) {
    if (part.kind !== "product") continue;
    picked.set(part, part.values[rest % part.values.length] ?? "");
    rest = Math.floor(rest / part.values.length);
  }
  return picked;
};

const renderPart = (part: Part, pair: number, picked: ReadonlyMap<Part, string>, draw: DrawNumber): string => {
  switch (part.kind) {
    case "text":
      return part.text;
    case "product":
      return picked.get(part) ?? "";
    case "paired":
      return part.values[Math.min(pair, part.values.length - 1)] ?? "";
    case "random":
      return String(draw(part.min, part.max));
  }
};

const expandOnce = (parts: readonly Part[], draw: DrawNumber): readonly string[] => {
  const pairs = countPairs(parts);
  return Array.from({ length: countJobs(parts) }, (_job, number) => {
    const picked = pickValues(parts, Math.floor(number / pairs));
    return parts.map((part) => renderPart(part, number % pairs, picked, draw)).join("");
  });
};

const describeWrongRange = (part: Part): string | null => {
  if (part.kind !== "random") return null;
  const { min, max } = part;
  if (min > max) return `{RANDINT:${min},${max}} has a smallest number above its largest`;
  const isDrawable = Number.isSafeInteger(min) && Number.isSafeInteger(max) && max - min < MAX_SPAN;
  return isDrawable ? null : `{RANDINT:${min},${max}} is too wide`;
};

const findWrongRange = (parts: readonly Part[]): string | null =>
  parts.map(describeWrongRange).find((problem) => problem !== null) ?? null;

/** One command for each job, in order, of a line or of words with NULs between them; each repeat draws its random numbers again. */
export const expandCommand = (
  command: string,
  repeat: number,
  draw: DrawNumber,
): Result<readonly string[], Failure> => {
  const parts = splitCommand(command);
  const wrong = findWrongRange(parts);
  if (wrong !== null) return failUsage(wrong);
  const count = countJobs(parts) * repeat;
  if (count > MAX_BATCH_SIZE)
    return failUsage(`this makes ${count} jobs; at most ${MAX_BATCH_SIZE} can be added at once`);
  return ok(Array.from({ length: repeat }).flatMap(() => expandOnce(parts, draw)));
};
