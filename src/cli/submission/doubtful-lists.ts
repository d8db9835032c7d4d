import type { Braces } from "./find-braces.ts";
import { listMeanings, type Meaning, readContent, splitParts } from "./sweep.ts";

const PROGRAM_TEXT = /[$;]|: | = |\b(?:print|printf|return)\s/;
const CALL = /\w\(/;
const KEY = /^\s*([^\s=/:"']*):(?!\/\/)/;
const PROGRAM_BEFORE = /\bfor\s+\w+\s+in\s[^;]*$|\b(?:const|let|var|import|export|return|in)\s+$|\w\($|\s=\s+$/;
const COUNT = /^\d*,\d*$/;
const COUNTED = /(?:[\])]|\\[dDsSwW])$/;
const QUOTED = /(?<![A-Za-z0-9])(?:"(?:\\.|[^"\\])*"|'[^']*')/g;

type List = Readonly<{ content: string; before: string; parts: readonly string[]; meaning: Meaning }>;

const readList = (command: string, braces: Braces, meaning: Meaning): List => {
  const text = command.replaceAll("\0", " ");
  const parts = splitParts(braces).map(([from, to]) => text.slice(from, to).trim());
  return {
    content: readContent(text, braces),
    before: command.slice(command.lastIndexOf("\0", braces.start) + 1, braces.start),
    parts,
    meaning,
  };
};

const hasKeys = (parts: readonly string[]): boolean => {
  const keys = parts.map((part) => KEY.exec(part)?.[1]);
  const isOneKey = keys.every((key) => key !== "" && key === keys[0]);
  return keys.some((key) => key !== undefined) && !isOneKey;
};

const hasLooseEnd = (parts: readonly string[]): boolean =>
  parts.length > 1 && parts.at(-1) === "" && !parts.some((part) => part.startsWith("-"));

const hasCall = ({ content, meaning }: List): boolean =>
  CALL.test(content) && (meaning === "paired" || content.includes(", "));

const hasLooseQuote = (content: string): boolean => /["']/.test(content.replace(QUOTED, ""));

const isCount = ({ content, before }: List): boolean => COUNT.test(content) && COUNTED.test(before);

const isDoubtful = (list: List): boolean =>
  PROGRAM_TEXT.test(list.content) ||
  PROGRAM_BEFORE.test(list.before) ||
  hasKeys(list.parts) ||
  hasLooseEnd(list.parts) ||
  hasCall(list) ||
  hasLooseQuote(list.content) ||
  isCount(list);

const findDoubtful = (command: string): readonly Braces[] => {
  const found: Braces[] = [];
  let end = -1;
  for (const [braces, meaning] of listMeanings(command)) {
    if (braces.start < end) continue;
    const isList = ["paired", "product", "range"].includes(meaning);
    const isFound = isList && isDoubtful(readList(command, braces, meaning));
    if (isFound) found.push(braces);
    if (isFound || meaning === "variable") end = braces.end;
  }
  return found;
};

/** The lists of a command that look like a part of a program, as in awk, rather than values to choose from. */
export const findDoubtfulLists = (command: string): readonly string[] =>
  findDoubtful(command).map(({ start, end }) => command.slice(start, end + 1).replaceAll("\0", " "));

export const escapeBraces = (text: string): string =>
  text.replace(/\\[\s\S]|[{}]/g, (found) => (found.length === 1 ? `\\${found}` : found));

/** The command with these lists as texts. */
export const keepDoubtfulLists = (command: string): string => {
  const kept = findDoubtful(command);
  const last = kept.at(-1)?.end ?? -1;
  const pieces = kept.map(({ start, end }, index) => {
    const before = command.slice((kept[index - 1]?.end ?? -1) + 1, start);
    return before + escapeBraces(command.slice(start, end + 1));
  });
  return pieces.join("") + command.slice(last + 1);
};
