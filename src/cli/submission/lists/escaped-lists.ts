import type { Braces, TextSpan } from "./find-braces.ts";
import { listChoices, readSource } from "./list-meaning.ts";
import { findProgramText } from "./program-text.ts";

/** What would be a list, or a list with other parts, without its `backslashes`. `isDoubtful` where they may be the program's. */
export type EscapedList = Readonly<{
  start: number;
  end: number;
  backslashes: readonly number[];
  isDoubtful: boolean;
}>;

type Escaped = Readonly<{ text: string; programs: readonly TextSpan[] }>;
type Bare = Readonly<{ text: string; places: readonly number[] }>;

const ESCAPED = /\\(?:[{},]|([\s\S]))/g;
const COUNT = /^\\\{\d*,\d*\\?\}$/;
const OPEN_COUNT = /^\\\{(?:,|\d*,\\?\})/;
const LONGEST_CHUNK = 1000;
const QUOTED = /(?<![A-Za-z0-9])(?:"(?:\\.|[^"\\])*"|'[^']*')/g;
const OWN_BACKSLASH = /\\|^["']?[A-Za-z]:\{/;

const listEscapes = (text: string): readonly number[] =>
  [...text.matchAll(ESCAPED)].flatMap(({ 1: other, index }) => (other === undefined ? [index] : []));

const dropAll = (text: string, escapes: readonly number[]): Bare => {
  const dropped = new Set(escapes);
  const places = Array.from({ length: text.length }, (_code, at) => at).filter((at) => !dropped.has(at));
  return { text: places.map((at) => text[at]).join(""), places };
};

const placeBraces = ({ places }: Bare, { start, end, commas }: Braces): readonly number[] =>
  [start, ...commas, end].map((at) => places[at] ?? 0);

const readChunk = (text: string, start: number): string =>
  text
    .slice(Math.max(0, start - LONGEST_CHUNK), start)
    .split(/[\s\0]/)
    .at(-1) ?? "";

const isDoubtful = ({ text, programs }: Escaped, start: number, end: number): boolean => {
  const [chunk, list] = [readChunk(text, start), text.slice(start, end + 1)];
  const rest = (chunk + list.replace(QUOTED, "")).replace(/\\([{},])/g, "$1");
  const isInProgram = programs.some((program) => program.start <= start && start < program.end);
  const canCount = isInProgram || OPEN_COUNT.test(list) || /[^"']$/.test(chunk);
  return (COUNT.test(list) && canCount) || OWN_BACKSLASH.test(rest);
};

const describeEscaped = (
  command: Escaped,
  [first = 0, ...others]: readonly number[],
  backslashes: readonly number[],
): EscapedList => {
  const start = backslashes.includes(first - 1) ? first - 1 : first;
  const end = others.at(-1) ?? first;
  return { start, end, backslashes, isDoubtful: isDoubtful(command, start, end) };
};

const findKeptFrom = (command: Escaped, bare: Bare, escapes: ReadonlySet<number>): readonly EscapedList[] =>
  listChoices(bare.text).flatMap(([braces]) => {
    const places = placeBraces(bare, braces);
    const backslashes = places.map((at) => at - 1).filter((at) => escapes.has(at));
    return backslashes.length === 0 ? [] : [describeEscaped(command, places, backslashes)];
  });

const findChanged = (command: Escaped, bare: Bare, escapes: readonly number[]): readonly EscapedList[] => {
  const unescaped = [...(readSource(bare.text)?.braces.values() ?? [])].map((braces) =>
    placeBraces(bare, braces).join(),
  );
  const same = new Set(unescaped);
  return listChoices(command.text)
    .filter(([{ start, end, commas }]) => !same.has([start, ...commas, end].join()))
    .map(([{ start, end }]) => [start, end] as const)
    .map(([start, end]) =>
      describeEscaped(
        command,
        [start, end],
        escapes.filter((at) => start < at && at < end),
      ),
    );
};

/** Null where braces are nested too deep without backslashes. */
export const findEscapedLists = (text: string): readonly EscapedList[] | null => {
  const escapes = listEscapes(text);
  if (escapes.length === 0) return [];
  const bare = dropAll(text, escapes);
  if (readSource(bare.text) === null) return null;
  const command = { text, programs: findProgramText(text) };
  return [...findKeptFrom(command, bare, new Set(escapes)), ...findChanged(command, bare, escapes)];
};
