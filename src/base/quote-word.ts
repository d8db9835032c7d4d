const PLAIN_WORD = /^[A-Za-z0-9_@%+=:,./-]+$/;

export const quoteWord = (word: string): string =>
  PLAIN_WORD.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
