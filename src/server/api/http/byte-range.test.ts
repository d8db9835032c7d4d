import { expect, test } from "bun:test";
import fc from "fast-check";
import { readByteRange } from "./byte-range.ts";

test.each([
  [undefined, null],
  ["bytes=0-0", { from: 0, to: 1 }],
  ["bytes=3-", { from: 3, to: 10 }],
  ["bytes=3-5", { from: 3, to: 6 }],
  ["bytes=3-99", { from: 3, to: 10 }],
  ["bytes=-4", { from: 6, to: 10 }],
  ["bytes=-99", { from: 0, to: 10 }],
  ["bytes=10-", "none"],
  ["bytes=-0", "none"],
  ["bytes=5-3", null],
  ["bytes=-", null],
  ["bytes=0-1,3-4", null],
  ["lines=0-1", null],
  ["bytes=a-b", null],
] as const)("of ten bytes %p asks for %p", (header, range) => {
  expect(readByteRange(header, 10)).toEqual(range);
});

test("no header asks for what is not there", () => {
  const part = fc.oneof(fc.nat(30).map(String), fc.constant(""), fc.string());
  fc.assert(
    fc.property(part, part, fc.nat(20), (first, last, size) => {
      const range = readByteRange(`bytes=${first}-${last}`, size);
      if (range === null || range === "none") return;
      expect(range.from).toBeWithin(0, range.to);
      expect(range.to).toBeWithin(0, size + 1);
    }),
  );
});
