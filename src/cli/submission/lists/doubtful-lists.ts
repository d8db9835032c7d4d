import { findEscapedLists } from "./escaped-lists.ts";
import type { Braces, TextSpan } from "./find-braces.ts";
import { listChoices, type Meaning, readContent } from "./list-meaning.ts";
import { findProgramText } from "./program-text.ts";
import { readSweep, type Sequence, splitParts } from "./sweep.ts";

const PROGRAM_TEXT = /[$;]|: | = |\b(?:print|printf|return)\s/;
const CALL = /\w\(/;
const KEY = /^\s*([^\s=/:"']*):(?!\/\/)/;
const PROGRAM_BEFORE = /\bfor\s+\w+\s+in\s[^;]*$|\b(?:const|let|var|import|export|return|in)\s+$|\w\($|\s=\s+$/;
const COUNT = /^\d*,\d*$/;
const COUNTED = /(?:[\])*+?^]|\\[A-Za-z.]|(?<![\w-])\.)$/;
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

const findLists = (command: string): readonly Braces[] => {
  const found: Braces[] = [];
  const texts = findProgramText(command);
  for (const [braces, meaning] of listChoices(command)) {
    const isNew = meaning !== "random" && braces.start > (found.at(-1)?.end ?? -1);
    const isText = texts.some(({ start, end }) => start <= braces.start && braces.start < end);
    if (isNew && (isText || isDoubtful(readList(command, braces, meaning)))) found.push(braces);
  }
  return found;
};

/** What may as well be a part of a program, as in awk: `lists` to choose from, and `escapes` whose backslashes may be its own. */
export type Doubt = Readonly<{ lists: readonly TextSpan[]; escapes: readonly TextSpan[] }>;

export const findDoubt = (command: string): Doubt => ({
  lists: findLists(command),
  escapes: (findEscapedLists(command) ?? []).filter(({ isDoubtful: isOwn }) => isOwn),
});

export const showSpans = (command: string, spans: readonly TextSpan[]): readonly string[] =>
  spans.map(({ start, end }) => command.slice(start, end + 1).replaceAll("\0", " "));

const joinTexts = (parts: Sequence): string => parts.map((part) => (part.kind === "text" ? part.text : "")).join("");

/** How a list is written so that it stays as it is; null where that would be doubtful, too. */
export const escapeList = (command: string, { start, end }: TextSpan): string | null => {
  const within = listChoices(command).filter(([braces]) => start <= braces.start && braces.end <= end);
  const marks = new Set(within.flatMap(([braces]) => [braces.start, braces.end]));
  const list = command.slice(start, end + 1);
  const escaped = list
    .split("")
    .map((code, at) => (marks.has(start + at) ? `\\${code}` : code))
    .join("");
  const isClear = joinTexts(readSweep(escaped) ?? []) === list;
  const { escapes } = findDoubt(command.slice(0, start) + escaped + command.slice(end + 1));
  return isClear && !escapes.some((span) => span.start === start) ? escaped.replaceAll("\0", " ") : null;
};

/** The lists of a command that look like a part of a program rather than values to choose from. */
export const findDoubtfulLists = (command: string): readonly string[] => showSpans(command, findDoubt(command).lists);
