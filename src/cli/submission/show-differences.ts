const FLAG = /(?:^|\s)--?[A-Za-z][^\s=]*\s+$/;

const countCommon = (texts: readonly string[], at: (text: string, index: number) => string | undefined): number => {
  const [first = "", ...others] = texts;
  let count = 0;
  while (count < first.length && others.every((text) => at(text, count) === at(first, count))) count++;
  return count;
};

const findStart = (texts: readonly string[]): number => {
  const [first = ""] = texts;
  const common = first.slice(
    0,
    countCommon(texts, (text, index) => text[index]),
  );
  const wordStart = /\S*$/.exec(common)?.index ?? 0;
  return FLAG.exec(common.slice(0, wordStart))?.index ?? wordStart;
};

const showFrom = (text: string, start: number): string => (start === 0 ? text : `… ${text.slice(start).trimStart()}`);

/** Each without the beginning that all have, from the flag on whose value is the first that differs; all the same, they are shown whole. */
export const showDifferences = (texts: readonly string[]): readonly string[] => {
  if (texts.every((text) => text === texts[0])) return texts;
  const start = findStart(texts);
  return texts.map((text) => showFrom(text, start));
};
