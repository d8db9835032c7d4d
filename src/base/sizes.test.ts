import { expect, test } from "bun:test";
import fc from "fast-check";
import { formatMib, parseSize, writeSize } from "./sizes.ts";

test("a size is read as it is typed, 1024-based, and rounded up to a whole MiB", () => {
  const typed = { "10G": 10_240, "512M": 512, "1T": 1_048_576, "1.5G": 1536, "10g": 10_240, "0.1M": 1, "7.1G": 7271 };
  for (const [text, mib] of Object.entries(typed)) expect([text, parseSize(text)]).toEqual([text, mib]);
});

test("a number without a unit is no size, nor is anything else", () => {
  for (const text of ["", "10", "10K", "10GB", "10GiB", "-1G", "1,5G", "G", "1e3G", " 1G", "none"])
    expect([text, parseSize(text)]).toEqual([text, null]);
});

test("what is written of any number of MiB is read as the same", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 9_999_999 }), (mib) => {
      expect(parseSize(writeSize(mib))).toBe(mib);
    }),
  );
});

test("a size is written in whole GiB where it is one", () => {
  expect([0, 512, 1536, 10_240].map(writeSize)).toEqual(["0M", "512M", "1536M", "10G"]);
});

test("a size is told to people in the unit that fits, with one decimal at most", () => {
  expect([1, 1023, 1024, 7270, 23.5 * 1024].map(formatMib)).toEqual([
    "1 MiB",
    "1023 MiB",
    "1 GiB",
    "7.1 GiB",
    "23.5 GiB",
  ]);
});
