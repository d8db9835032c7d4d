import { type Braces, findBraces } from "./find-braces.ts";

/** How braces are meant: a list of values and its kind, or a text. */
export type Meaning = "variable" | "random" | "paired" | "product" | "range" | "text";

export type Scanned = Readonly<{ text: string; braces: ReadonlyMap<number, Braces> }>;
export type Meant = readonly [Braces, Meaning];

export const RANDOM = /^RANDINT(?::(-?\d+),(-?\d+))?$/;
const NO_LIST = /^\s*\\?["'][^"']*["']\s*:|^RANDINT/;
export const NUMBERS = /^([+-]?\d{1,15})\.\.([+-]?\d{1,15})(?:\.\.([+-]?\d{1,15}))?$/;
export const LETTERS = /^([a-z](?=\.\.[a-z])|[A-Z](?=\.\.[A-Z]))\.\.([A-Za-z])(?:\.\.([+-]?\d{1,15}))?$/;

export const readContent = (text: string, { start, end }: Braces): string => text.slice(start + 1, end);

export const findOnlyChild = ({ braces }: Scanned, { start, end }: Braces): Braces | null => {
  const child = braces.get(start + 1);
  return child?.end === end - 1 ? child : null;
};

const isValues = (source: Scanned, braces: Braces): boolean => {
  const content = readContent(source.text, braces);
  return braces.commas.length > 0 && !content.includes("\n") && !NO_LIST.test(content);
};

/** Within a value a second pair of braces makes no pairs. */
export const findMeaning = (source: Scanned, braces: Braces, isValue: boolean = false): Meaning => {
  const content = readContent(source.text, braces);
  const child = isValue ? null : findOnlyChild(source, braces);
  if (braces.isVariable) return "variable";
  if (RANDOM.test(content)) return "random";
  if (child !== null && isValues(source, child)) return "paired";
  if (isValues(source, braces)) return "product";
  return NUMBERS.test(content) || LETTERS.test(content) ? "range" : "text";
};

/** Null where braces are nested too deep. */
export const readSource = (text: string): Scanned | null => {
  const found = findBraces(text);
  return found === null ? null : { text, braces: new Map(found.map((braces) => [braces.start, braces])) };
};

/** All closed braces of a command, and what each would be if it stood alone. */
export const listMeanings = (command: string): readonly Meant[] => {
  const source = readSource(command);
  return source === null ? [] : [...source.braces.values()].map((braces) => [braces, findMeaning(source, braces)]);
};

/** The braces that make several jobs or a random number, without those that a variable has in it. */
export const listChoices = (command: string): readonly Meant[] => {
  const found: Meant[] = [];
  let end = -1;
  for (const [braces, meaning] of listMeanings(command)) {
    if (braces.start < end) continue;
    if (meaning === "variable") end = braces.end;
    else if (meaning !== "text") found.push([braces, meaning]);
  }
  return found;
};
