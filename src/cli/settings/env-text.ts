import { type EnvLine, readEnvLines } from "./env-lines.ts";

type Environment = Readonly<Record<string, string>>;
type Outer = Readonly<Record<string, string | undefined>>;

const VARIABLE_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;
const PLAIN = /^[A-Za-z0-9_@%+:,./-]*$/;
const REFERENCE = /\$\{([^}:]*)(?::-([^}]*))?\}/g;

const isComment = ({ name, isRight }: EnvLine): boolean => isRight && name === null;

const isVariable = ({ name, value }: EnvLine): boolean => value !== null && VARIABLE_NAME.test(name ?? "");

const fillIn = (value: string, find: (name: string) => string | undefined): string =>
  value.replace(REFERENCE, (_whole, name: string, otherwise = "") => find(name) ?? otherwise);

const listVariables = (text: string): readonly (readonly [string, string])[] =>
  readEnvLines(text)
    .filter(isVariable)
    .map(({ name, value }) => [name ?? "", value ?? ""]);

const readUnfilled = (text: string): Environment => Object.fromEntries(listVariables(text));

/** `${NAME}` in a value is what the file says above it, else what `outer` says. */
export const readEnv = (text: string, outer: Outer = process.env): Environment => {
  const known = new Map<string, string>();
  for (const [name, value] of listVariables(text))
    known.set(
      name,
      fillIn(value, (other) => known.get(other) ?? (Object.hasOwn(outer, other) ? outer[other] : undefined)),
    );
  return Object.fromEntries(known);
};

const NEIGHBOURS = ['NEXT="1"', "NEXT='1'"];

const standsAlone = (line: string, name: string, value: string): boolean =>
  NEIGHBOURS.every((neighbour) => {
    const variables = listVariables(`${line}\n${neighbour}`);
    return (
      JSON.stringify(variables) ===
      JSON.stringify([
        [name, value],
        ["NEXT", "1"],
      ])
    );
  });

const quoteWith = (value: string, quote: string): string =>
  quote + value.replace(/[\\'"]/g, (found) => (found === "\\" || found === quote ? `\\${found}` : found)) + quote;

const quoteValue = (name: string, value: string): string | null => {
  if (value.search(REFERENCE) !== -1) return null;
  const candidates = [...(PLAIN.test(value) ? [value] : []), quoteWith(value, "'"), quoteWith(value, '"'), value];
  return candidates.map((text) => `${name}=${text}`).find((line) => standsAlone(line, name, value)) ?? null;
};

const endWithNewline = (text: string): string => (text === "" || text.endsWith("\n") ? text : `${text}\n`);

const replaceEntry = (text: string, name: string, line: string | null): string => {
  const entries = readEnvLines(text).filter((entry) => entry.name === name);
  const added = line === null ? "" : `${line}\n`;
  if (entries.length === 0) return line === null ? text : endWithNewline(text) + added;
  const pieces = entries.map(({ start }, index) => text.slice(entries[index - 1]?.end ?? 0, start));
  const [first = "", ...later] = [...pieces, text.slice(entries.at(-1)?.end)];
  return first + added + later.join("");
};

const isSame = (one: Environment, other: Environment): boolean =>
  Object.keys(one).length === Object.keys(other).length &&
  Object.entries(one).every(([name, value]) => Object.hasOwn(other, name) && other[name] === value);

/** The text of a `.env` file with one variable set, or taken out with null; comments and order stay. Null when that can't be written. */
export const setInEnv = (text: string, name: string, value: string | null): string | null => {
  const line = value === null ? null : quoteValue(name, value);
  if (line === null && value !== null) return null;
  const changed = replaceEntry(text, name, line);
  const { [name]: _old, ...others } = readUnfilled(text);
  return isSame(readUnfilled(changed), value === null ? others : { ...others, [name]: value }) ? changed : null;
};

/** The lines that are neither a variable nor a comment, from 1. */
export const listBrokenLines = (text: string): readonly number[] =>
  readEnvLines(text)
    .filter((line) => !(isComment(line) || isVariable(line)))
    .map(({ start }) => text.slice(0, start).split(/\r\n|\n|\r/).length);
