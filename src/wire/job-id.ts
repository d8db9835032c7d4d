const ALPHABET = "123456789abcdefghijkmnopqrstuvwxyz";
const LENGTH = 6;

/** `drawBelow` gives a random whole number from 0 to one below its argument. */
export const drawJobId = (drawBelow: (limit: number) => number): string =>
  Array.from({ length: LENGTH }, () => ALPHABET[drawBelow(ALPHABET.length)]).join("");
