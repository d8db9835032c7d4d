const MAX_DISTANCE = 2;
const PREFIX_DISTANCE = 1.5;

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

export const suggestNearest = (word: string, known: readonly string[]): string | null => {
  if (word === "") return null;
  const ranked = known
    .map((name) => {
      const distance = measureDistance(word, name);
      return { name, distance: name.startsWith(word) ? Math.min(PREFIX_DISTANCE, distance) : distance };
    })
    .toSorted((a, b) => a.distance - b.distance)[0];
  return ranked !== undefined && ranked.distance <= MAX_DISTANCE ? ranked.name : null;
};
