import { type Braces, findBraces } from "./find-braces.ts";

export type Random = Readonly<{ kind: "random"; min: number; max: number }>;
export type Atom = Readonly<{ kind: "text"; text: string }> | Random;

/** `count` is of how many values one is chosen. */
export type Choice =
  | Readonly<{ kind: "product" | "paired"; items: readonly Sequence[]; count: number }>
  | Readonly<{ kind: "range"; first: number; step: number; width: number; isLetter: boolean; count: number }>;

export type Part = Atom | Choice;
export type Sequence = readonly Part[];

/** How braces are meant: a list of values and its kind, or a text. */
export type Meaning = "variable" | "random" | "paired" | "product" | "range" | "text";

type Source = Readonly<{ text: string; braces: ReadonlyMap<number, Braces> }>;
type Place = "outside" | "braces" | "value";
type Span = Readonly<{ from: number; to: number; place: Place }>;

const RANDOM = /^RANDINT(?::(-?\d+),(-?\d+))?$/;
const NO_LIST = /^\s*\\?["'][^"']*["']\s*:|^RANDINT/;
const NUMBERS = /^([+-]?\d{1,15})\.\.([+-]?\d{1,15})(?:\.\.([+-]?\d{1,15}))?$/;
const LETTERS = /^([a-z](?=\.\.[a-z])|[A-Z](?=\.\.[A-Z]))\.\.([A-Za-z])(?:\.\.([+-]?\d{1,15}))?$/;
const PADDED = /^[+-]?0\d/;
const DEFAULT_MAX = 100;

export const readContent = (text: string, { start, end }: Braces): string => text.slice(start + 1, end);

const findOnlyChild = ({ braces }: Source, { start, end }: Braces): Braces | null => {
  const child = braces.get(start + 1);
  return child?.end === end - 1 ? child : null;
};

const isValues = (source: Source, braces: Braces): boolean => {
  const content = readContent(source.text, braces);
  return braces.commas.length > 0 && !content.includes("\n") && !NO_LIST.test(content);
};

const findMeaning = (source: Source, braces: Braces, place: Place): Meaning => {
  const content = readContent(source.text, braces);
  const child = place === "value" ? null : findOnlyChild(source, braces);
  if (braces.isVariable) return "variable";
  if (RANDOM.test(content)) return "random";
  if (child !== null && isValues(source, child)) return "paired";
  if (isValues(source, braces)) return "product";
  return NUMBERS.test(content) || LETTERS.test(content) ? "range" : "text";
};

const unescapeText = (text: string, escaped: string): string =>
  text.replace(/\\([\s\S])/g, (whole, character: string) => (escaped.includes(character) ? character : whole));

const readPlain = ({ text }: Source, { from, to, place }: Span): Sequence => {
  if (from === to) return [];
  const plain = text.slice(from, to);
  const unescaped = unescapeText(plain, place === "outside" ? "{}" : "{},");
  return [{ kind: "text", text: place === "value" ? unescaped.replaceAll("\0", " ") : unescaped }];
};

const trimSpan = ({ text }: Source, from: number, to: number): Span => {
  const part = text.slice(from, to);
  const start = from + (/^[\s\0]*/.exec(part)?.[0].length ?? 0);
  const blankEnd = part.length - part.replaceAll("\0", " ").trimEnd().length;
  return { from: start, to: Math.max(start, to - blankEnd), place: "value" };
};

/** One part for each value. */
export const splitParts = ({ start, end, commas }: Braces): readonly (readonly [number, number])[] =>
  [...commas, end].map((to, index) => [(commas[index - 1] ?? start) + 1, to]);

/** Of how many values a sequence is one. */
export const countValues = (sequence: Sequence): number =>
  sequence.reduce((product, part) => ("count" in part ? product * part.count : product), 1);

const readItems = (source: Source, braces: Braces, kind: "product" | "paired"): Choice => {
  const items = splitParts(braces).map(([from, to]) => readSequence(source, trimSpan(source, from, to)));
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

const readBraces = (source: Source, braces: Braces, place: Place): Sequence => {
  const meaning = findMeaning(source, braces, place);
  const { start, end } = braces;
  switch (meaning) {
    case "variable":
      return readPlain(source, { from: start, to: end + 1, place });
    case "random":
      return [readRandom(readContent(source.text, braces))];
    case "range":
      return [readRange(readContent(source.text, braces))];
    case "paired":
      return [readItems(source, findOnlyChild(source, braces) ?? braces, meaning)];
    case "product":
      return [readItems(source, braces, meaning)];
    case "text":
      return [
        { kind: "text", text: "{" },
        ...readSequence(source, { from: start + 1, to: end, place: place === "outside" ? "braces" : place }),
        { kind: "text", text: "}" },
      ];
  }
};

const readSequence = (source: Source, { from, to, place }: Span): Sequence => {
  const parts: Part[] = [];
  let plainFrom = from;
  for (let at = source.text.indexOf("{", from); at !== -1 && at < to; at = source.text.indexOf("{", at)) {
    const braces = source.braces.get(at);
    if (braces === undefined) at++;
    else {
      parts.push(...readPlain(source, { from: plainFrom, to: at, place }), ...readBraces(source, braces, place));
      at = braces.end + 1;
      plainFrom = at;
    }
  }
  return [...parts, ...readPlain(source, { from: plainFrom, to, place })];
};

const readSource = (text: string): Source | null => {
  const found = findBraces(text);
  return found === null ? null : { text, braces: new Map(found.map((braces) => [braces.start, braces])) };
};

/** What a command chooses from; null where its braces are nested too deep. */
export const readSweep = (command: string): Sequence | null => {
  const source = readSource(command);
  return source === null ? null : readSequence(source, { from: 0, to: command.length, place: "outside" });
};

/** All closed braces of a command, and what each would be if it stood alone. */
export const listMeanings = (command: string): readonly (readonly [Braces, Meaning])[] => {
  const source = readSource(command);
  return source === null
    ? []
    : [...source.braces.values()].map((braces) => [braces, findMeaning(source, braces, "outside")]);
};
