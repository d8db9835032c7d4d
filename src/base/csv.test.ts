import { expect, test } from "bun:test";
import fc from "fast-check";
import { writeCsv } from "./csv.ts";

test("cells with commas, quotes and line ends are quoted, and lines end as RFC 4180 says", () => {
  expect(writeCsv([["a", 'b "c", d', "e\nf", 1.5, null, ""]])).toBe('a,"b ""c"", d","e\nf",1.5,,\r\n');
});

test("what a spreadsheet would take for a formula has an apostrophe before it, numbers stay", () => {
  expect(writeCsv([["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", -1, "a=1"]])).toBe(
    "'=1+1,'+1,'-1,'@SUM(A1),'\t=1,-1,a=1\r\n",
  );
});

const CELL = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/y;

const parse = (text: string): readonly (readonly string[])[] => {
  const rows: string[][] = [[]];
  for (CELL.lastIndex = 0; CELL.lastIndex < text.length; ) {
    const [, quoted, plain = "", end] = CELL.exec(text) ?? [];
    rows.at(-1)?.push(quoted?.replaceAll('""', '"') ?? plain);
    if (end === "\r\n") rows.push([]);
    if (end === undefined) throw new Error(`no cell at ${CELL.lastIndex}`);
  }
  return rows.slice(0, -1);
};

test("whatever is written is read again as it was, but for that apostrophe", () => {
  const rows = fc.array(fc.array(fc.string(), { minLength: 1, maxLength: 4 }), { maxLength: 4 });
  fc.assert(
    fc.property(rows, (written) => {
      const expected = written.map((row) => row.map((cell) => (/^[=+\-@\t\r]/.test(cell) ? `'${cell}` : cell)));
      expect(parse(writeCsv(written))).toEqual(expected);
    }),
  );
});
