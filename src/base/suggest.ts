type Row = readonly number[];
type Rows = Readonly<{ before: Row; last: Row; letter: string }>;
type Ranked = Readonly<{ name: string; distance: number }>;

const MAX_DISTANCE = 2;
const PREFIX_DISTANCE = 1.5;
const FOREIGN_HANDICAP = 0.6;
const LETTERS_A_MISTAKE = 3;

const nextRow = ({ before, last, letter: previous }: Rows, letter: string, other: string): Row => {
  const row = [(last[0] ?? 0) + 1];
  for (let column = 1; column <= other.length; column++) {
    const change = (last[column - 1] ?? 0) + Number(letter !== other[column - 1]);
    const isTurned = letter === other[column - 2] && previous === other[column - 1];
    const turn = isTurned ? (before[column - 2] ?? 0) + 1 : change;
    row.push(Math.min(change, turn, (last[column] ?? 0) + 1, (row[column - 1] ?? 0) + 1));
  }
  return row;
};

const measureDistance = (word: string, other: string): number => {
  const start: Rows = { before: [], last: Array.from({ length: other.length + 1 }, (_value, at) => at), letter: "" };
  const end = [...word].reduce<Rows>(
    (rows, letter) => ({ before: rows.last, last: nextRow(rows, letter, other), letter }),
    start,
  );
  return end.last.at(-1) ?? 0;
};

const rank = (word: string, names: readonly string[]): readonly Ranked[] =>
  names.map((name) => ({ name, distance: measureDistance(word, name) }));

const rankKnown = (word: string, known: readonly string[]): readonly Ranked[] =>
  rank(word, known)
    .map(({ name, distance }) => ({
      name,
      distance: name.startsWith(word) ? Math.min(PREFIX_DISTANCE, distance) : distance,
    }))
    .filter(({ distance }) => distance <= MAX_DISTANCE);

const rankForeign = (word: string, foreign: readonly string[]): readonly Ranked[] =>
  rank(word, foreign)
    .filter(({ name, distance }) => distance <= Math.min(MAX_DISTANCE, Math.floor(name.length / LETTERS_A_MISTAKE)))
    .map(({ name, distance }) => ({ name, distance: distance + FOREIGN_HANDICAP }));

/** By letters that are missing, too many, others, or two in the wrong order. Of `foreign` names, which are many, one must be nearer than any that is known. */
export const suggestNearest = (
  word: string,
  known: readonly string[],
  foreign: readonly string[] = [],
): string | null => {
  if (word === "") return null;
  const ranked = [...rankKnown(word, known), ...rankForeign(word, foreign)];
  return ranked.toSorted((a, b) => a.distance - b.distance)[0]?.name ?? null;
};
