import { parseEnv } from "node:util";

type Environment = Readonly<Record<string, string>>;

const ENTRY =
  /^[^\S\n]*(?:export[^\S\n]+)?([\w.-]+)[^\S\n]*(?:=|:[^\S\n])[^\S\n]*('[^']*'|"(?:\\"|[^"])*"|`[^`]*`|[^\n]*)[^\n]*(?:\n|$)/gm;
const PLAIN = /^[A-Za-z0-9_@%+:,./-]*$/;

export const readEnv = (text: string): Environment => parseEnv(text) as Environment;

const NEIGHBOURS = ['NEXT="1"', "NEXT='1'", "NEXT=`1`"];

const standsAlone = (line: string, name: string, value: string): boolean =>
  NEIGHBOURS.map((neighbour) => `${line}\n${neighbour}`).every(
    (text) => readEnv(text)[name] === value && text.match(ENTRY)?.[0] === `${line}\n`,
  );

const quoteValue = (name: string, value: string): string | null => {
  const candidates = [...(PLAIN.test(value) ? [value] : []), `'${value}'`, `"${value}"`, `\`${value}\``];
  return candidates.map((text) => `${name}=${text}`).find((line) => standsAlone(line, name, value)) ?? null;
};

const replaceEntry = (text: string, name: string, line: string | null): string => {
  let isDone = line === null;
  const replaced = text.replace(ENTRY, (whole: string, found: string) => {
    if (found !== name) return whole;
    if (isDone) return "";
    isDone = true;
    return `${line}\n`;
  });
  if (isDone) return replaced;
  return `${replaced}${replaced === "" || replaced.endsWith("\n") ? "" : "\n"}${line}\n`;
};

const isSame = (one: Environment, other: Environment): boolean =>
  Object.keys(one).length === Object.keys(other).length &&
  Object.entries(one).every(([name, value]) => Object.hasOwn(other, name) && other[name] === value);

/** The text of a `.env` file with one variable set, or taken out with null; comments and order stay. Null when that can't be written. */
export const setInEnv = (text: string, name: string, value: string | null): string | null => {
  const line = value === null ? null : quoteValue(name, value);
  if (line === null && value !== null) return null;
  const changed = replaceEntry(text, name, line);
  const { [name]: _old, ...others } = readEnv(text);
  return isSame(readEnv(changed), value === null ? others : { ...others, [name]: value }) ? changed : null;
};

const isEmptyOrComment = (line: string): boolean => /^\s*(#|$)/.test(line);

/** The first line that is neither a variable nor a comment, from 1; null when there is none. */
export const findBrokenLine = (text: string): number | null => {
  const left = text.replace(ENTRY, (whole) => "#\n".repeat(whole.split("\n").length - (whole.endsWith("\n") ? 1 : 0)));
  const index = left.split("\n").findIndex((line) => !isEmptyOrComment(line));
  return index === -1 ? null : index + 1;
};
