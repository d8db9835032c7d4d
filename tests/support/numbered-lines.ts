const MARK = /\r?\n\[Nexus left out [^\]]*\] *\r?\n/;
const LINE = /^\d{11}$/;

/** Prints lines that are the numbers from 0 up to, but not with, `count`; after each `burst` of them it runs `between`. */
export const renderCounter = (count: number, burst: number = count, between = ":"): string =>
  `i=0; while [ $i -lt ${count} ]; do seq -f %011.0f $i $((i + ${burst - 1})); i=$((i + ${burst})); ${between}; done`;

/** Of what was shown of such lines the numbers, apart by the marks between them; a line that was cut in two is none. Throws for any other byte than text. */
export const readNumbers = (shown: string): readonly (readonly number[])[] => {
  if (shown.includes("\0")) throw new Error("There are holes in what is shown");
  return shown
    .split(MARK)
    .map((part) => part.split(/\r?\n/).flatMap((line) => (LINE.test(line) ? [Number(line)] : [])));
};

/** Whether each number is one more than that before it. */
export const isGapless = (numbers: readonly number[]): boolean =>
  numbers.every((number, place) => place === 0 || number === (numbers[place - 1] ?? Number.NaN) + 1);
