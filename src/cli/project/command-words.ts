const WORD = /(?:[^\s'"\\;|&<>()]|\\[\s\S]|'[^']*'|"(?:\\[\s\S]|[^"\\])*")+/g;
const QUOTED = /'([^']*)'|"((?:\\[\s\S]|[^"\\])*)"|\\([\s\S])/g;

const unquote = (word: string): string =>
  word.replace(
    QUOTED,
    (_whole, single?: string, double?: string, character?: string) =>
      single ?? double?.replace(/\\(["\\$`])/g, "$1") ?? character ?? "",
  );

const listParts = (word: string): readonly string[] => {
  const split = word.indexOf("=");
  return split === -1 ? [word] : [word, word.slice(split + 1)];
};

/** What of shell commands may name a file: each word once, and what follows its first `=`. Nothing is expanded. */
export const listCommandWords = (commands: readonly string[]): readonly string[] => {
  const words = new Set(commands.flatMap((command) => command.match(WORD) ?? []));
  return [...new Set([...words].map(unquote).flatMap(listParts))].filter((word) => word !== "");
};
