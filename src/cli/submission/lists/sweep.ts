import { findEscapedLists } from "./escaped-lists.ts";
import type { Braces, TextSpan } from "./find-braces.ts";
import {
  findMeaning,
  findOnlyChild,
  LETTERS,
  NUMBERS,
  RANDOM,
  readContent,
  readSource,
  type Scanned,
} from "./list-meaning.ts";

export type Random = Readonly<{ kind: "random"; min: number; max: number }>;
export type Atom = Readonly<{ kind: "text"; text: string }> | Random;

/** `count` is of how many values one is chosen. */
export type Choice =
  | Readonly<{ kind: "product" | "paired"; items: readonly Sequence[]; count: number }>
  | Readonly<{ kind: "range"; first: number; step: number; width: number; isLetter: boolean; count: number }>;

export type Part = Atom | Choice;
export type Sequence = readonly Part[];

type Sweep = Scanned & Readonly<{ dropped: ReadonlySet<number> }>;
type Piece = Readonly<{ from: number; to: number; isValue: boolean }>;

const PADDED = /^[+-]?0\d/;
const DEFAULT_MAX = 100;

const readPlain = ({ text, dropped }: Sweep, { from, to, isValue }: Piece): Sequence => {
  if (from === to) return [];
  const plain = text
    .slice(from, to)
    .replace(/\\[\s\S]/g, (whole, index: number) => (dropped.has(from + index) ? whole.slice(1) : whole));
  return [{ kind: "text", text: isValue ? plain.replaceAll("\0", " ") : plain }];
};

const trimPiece = ({ text }: Sweep, from: number, to: number): Piece => {
  const part = text.slice(from, to);
  const start = from + (/^[\s\0]*/.exec(part)?.[0].length ?? 0);
  const blankEnd = part.length - part.replaceAll("\0", " ").trimEnd().length;
  return { from: start, to: Math.max(start, to - blankEnd), isValue: true };
};

/** One part for each value. */
export const splitParts = ({ start, end, commas }: Braces): readonly (readonly [number, number])[] =>
  [...commas, end].map((to, index) => [(commas[index - 1] ?? start) + 1, to]);

/** Of how many values a sequence is one. */
export const countValues = (sequence: Sequence): number =>
  sequence.reduce((product, part) => ("count" in part ? product * part.count : product), 1);

const readItems = (sweep: Sweep, braces: Braces, kind: "product" | "paired"): Choice => {
  const items = splitParts(braces).map(([from, to]) => readSequence(sweep, trimPiece(sweep, from, to)));
  return { kind, items, count: items.reduce((sum, item) => sum + countValues(item), 0) };
};

const readRange = (content: string): Choice => {
  const numbers = NUMBERS.exec(content);
  const [, first = "", last = "", given = "1"] = numbers ?? LETTERS.exec(content) ?? [];
  const [from, to] = numbers ? [Number(first), Number(last)] : [first.charCodeAt(0), last.charCodeAt(0)];
  const stride = Math.abs(Number(given)) || 1;
  const width = PADDED.test(first) || PADDED.test(last) ? Math.max(first.length, last.length) : 0;
  const count = Math.floor(Math.abs(to - from) / stride) + 1;
  return { kind: "range", first: from, step: to < from ? -stride : stride, width, isLetter: numbers === null, count };
};

const readRandom = (content: string): Random => {
  const [, min = 0, max = DEFAULT_MAX] = RANDOM.exec(content) ?? [];
  return { kind: "random", min: Number(min), max: Number(max) };
};

const readBraces = (sweep: Sweep, braces: Braces, isValue: boolean): Sequence => {
  const meaning = findMeaning(sweep, braces, isValue);
  const { start, end } = braces;
  switch (meaning) {
    case "variable":
      return readPlain(sweep, { from: start, to: end + 1, isValue });
    case "random":
      return [readRandom(readContent(sweep.text, braces))];
    case "range":
      return [readRange(readContent(sweep.text, braces))];
    case "paired":
      return [readItems(sweep, findOnlyChild(sweep, braces) ?? braces, meaning)];
    case "product":
      return [readItems(sweep, braces, meaning)];
    case "text":
      return [
        { kind: "text", text: "{" },
        ...readSequence(sweep, { from: start + 1, to: end, isValue }),
        { kind: "text", text: "}" },
      ];
  }
};

const readSequence = (sweep: Sweep, { from, to, isValue }: Piece): Sequence => {
  const parts: Part[] = [];
  let plainFrom = from;
  for (let at = sweep.text.indexOf("{", from); at !== -1 && at < to; at = sweep.text.indexOf("{", at)) {
    const braces = sweep.braces.get(at);
    if (braces === undefined) at++;
    else {
      parts.push(...readPlain(sweep, { from: plainFrom, to: at, isValue }), ...readBraces(sweep, braces, isValue));
      at = braces.end + 1;
      plainFrom = at;
    }
  }
  return [...parts, ...readPlain(sweep, { from: plainFrom, to, isValue })];
};

const isWithin = (at: number, spans: readonly TextSpan[]): boolean =>
  spans.some(({ start, end }) => start <= at && at <= end);

/** What a command chooses from; `kept` stays as it is. Null where its braces are nested too deep. */
export const readSweep = (command: string, kept: readonly TextSpan[] = []): Sequence | null => {
  const source = readSource(command);
  const escaped = findEscapedLists(command);
  if (source === null || escaped === null) return null;
  const braces = new Map([...source.braces].filter(([start]) => !isWithin(start, kept)));
  const dropped = new Set(escaped.flatMap(({ backslashes }) => backslashes).filter((at) => !isWithin(at, kept)));
  return readSequence({ text: command, braces, dropped }, { from: 0, to: command.length, isValue: false });
};
