const MAX_DISTANCE = 2;
const NO_PREFIX = 1000;

const nextRow = (previous: readonly number[], letter: string, other: string): readonly number[] => {
  const row = [(previous[0] ?? 0) + 1];
  for (let column = 1; column <= other.length; column++) {
    const swap = (previous[column - 1] ?? 0) + Number(letter !== other[column - 1]);
    row.push(Math.min(swap, (previous[column] ?? 0) + 1, (row[column - 1] ?? 0) + 1));
  }
  return row;
};

const measureDistance = (word: string, other: string): number => {
  const first = Array.from({ length: other.length + 1 }, (_value, index) => index);
  return [...word].reduce<readonly number[]>((row, letter) => nextRow(row, letter, other), first).at(-1) ?? 0;
};

const measureExcess = (name: string, word: string): number => (name.startsWith(word) ? name.length : NO_PREFIX);

export const suggestNearest = (word: string, known: readonly string[]): string | null => {
  if (word === "") return null;
  const ranked = known
    .map((name) => ({ name, distance: name.startsWith(word) ? 1 : measureDistance(word, name) }))
    .toSorted((a, b) => a.distance - b.distance || measureExcess(a.name, word) - measureExcess(b.name, word))[0];
  return ranked !== undefined && ranked.distance <= MAX_DISTANCE ? ranked.name : null;
};
