import { ok, type Result } from "../../../base/result.ts";
import type { Failure } from "../../../command-line/command.ts";
import { failUsage } from "../../../command-line/usage.ts";
import { MAX_BATCH_SIZE } from "../../../wire/limits.ts";
import { type Atom, type Choice, countValues, type Part, type Random, type Sequence } from "./sweep.ts";

/** A whole number from `min` to `max`, both included. */
export type DrawNumber = (min: number, max: number) => number;

type Picked = ReadonlyMap<Part, readonly Atom[]>;

const MAX_SPAN = 2 ** 48 - 1;

const isChoice = (part: Part): part is Choice => "count" in part;

const countPairs = (parts: Sequence): number =>
  parts.reduce((count, part) => (part.kind === "paired" ? Math.max(count, part.count) : count), 1);

const leaveOutPairs = (parts: Sequence): Sequence => parts.filter(({ kind }) => kind !== "paired");

const writeStep = ({ first, step, width, isLetter }: Extract<Choice, { kind: "range" }>, number: number): string => {
  const value = first + number * step;
  if (isLetter) return String.fromCharCode(value);
  const sign = value < 0 ? "-" : "";
  return sign + String(Math.abs(value)).padStart(width - sign.length, "0");
};

const pickItem = (items: readonly Sequence[], number: number): readonly Atom[] => {
  let rest = number;
  for (const item of items) {
    const count = countValues(item);
    if (rest < count) return [...pickAll(item, rest, 0).values()].flat();
    rest -= count;
  }
  return [];
};

const pickOne = (part: Part, number: number): readonly Atom[] => {
  if (!isChoice(part)) return [part];
  if (part.kind === "range") return [{ kind: "text", text: writeStep(part, number) }];
  const isFlat = part.count === part.items.length;
  return isFlat ? pickItem(part.items.slice(number, number + 1), 0) : pickItem(part.items, number);
};

const pickAll = (parts: Sequence, number: number, pair: number): Picked => {
  const picked: (readonly [Part, readonly Atom[]])[] = [];
  let rest = number;
  for (const part of parts.toReversed()) {
    if (part.kind === "paired") picked.push([part, pickOne(part, Math.min(pair, part.count - 1))]);
    else {
      const count = countValues([part]);
      picked.push([part, pickOne(part, rest % count)]);
      rest = Math.floor(rest / count);
    }
  }
  return new Map(picked.toReversed());
};

const renderAtom = (atom: Atom, draw: DrawNumber): string =>
  atom.kind === "text" ? atom.text : String(draw(atom.min, atom.max));

type Word = Readonly<{ text: string; isChosen: boolean }>;

const addPiece = (words: Word[], text: string, isChosen: boolean): void => {
  const last = words.pop();
  words.push({ text: `${last?.text ?? ""}${text}`, isChosen: isChosen || last?.isChosen === true });
};

const isEmptied = ({ text, isChosen }: Word): boolean => isChosen && text === "";

const renderJob = (picked: Picked, draw: DrawNumber): string => {
  const words: Word[] = [];
  for (const [part, atoms] of picked) {
    const [first = "", ...later] = atoms
      .map((atom) => renderAtom(atom, draw))
      .join("")
      .split("\0");
    addPiece(words, first, isChoice(part));
    for (const text of later) words.push({ text, isChosen: false });
  }
  return words
    .filter((word) => !isEmptied(word))
    .map(({ text }) => text)
    .join("\0");
};

const expandOnce = (parts: Sequence, draw: DrawNumber): readonly string[] => {
  const pairs = countPairs(parts);
  return Array.from({ length: countValues(leaveOutPairs(parts)) * pairs }, (_job, number) =>
    renderJob(pickAll(parts, Math.floor(number / pairs), number % pairs), draw),
  );
};

const listRandoms = (parts: Sequence): readonly Random[] =>
  parts.flatMap((part) => {
    if (part.kind === "random") return [part];
    return "items" in part ? part.items.flatMap(listRandoms) : [];
  });

const describeWrongRange = ({ min, max }: Random): string | null => {
  if (min > max) return `{RANDINT:${min},${max}} has a smallest number above its largest`;
  const isDrawable = Number.isSafeInteger(min) && Number.isSafeInteger(max) && max - min < MAX_SPAN;
  return isDrawable ? null : `{RANDINT:${min},${max}} is too wide`;
};

/** One command for each job, in order, of a line or of words with NULs between them; each repeat draws its random numbers again. */
export const expandSweep = (
  parts: Sequence | null,
  repeat: number,
  draw: DrawNumber,
): Result<readonly string[], Failure> => {
  if (parts === null) return failUsage("the command has braces that are nested too deep");
  const wrong = listRandoms(parts)
    .map(describeWrongRange)
    .find((problem) => problem !== null);
  if (wrong !== undefined) return failUsage(wrong ?? "");
  const count = countValues(leaveOutPairs(parts)) * countPairs(parts) * repeat;
  if (count > MAX_BATCH_SIZE)
    return failUsage(`this makes ${count} jobs; at most ${MAX_BATCH_SIZE} can be added at once`);
  return ok(Array.from({ length: repeat }).flatMap(() => expandOnce(parts, draw)));
};
