import { expect, test } from "bun:test";
import { formatBytes } from "./format-bytes.ts";

test.each([
  [0, "0 B"],
  [950, "950 B"],
  [999, "999 B"],
  [1000, "1.0 kB"],
  [1_234_567, "1.2 MB"],
  [999_960, "1.0 MB"],
  [1_200_000_000, "1.2 GB"],
  [3.5e15, "3500.0 TB"],
])("%d bytes are %s", (bytes, text) => {
  expect(formatBytes(bytes)).toBe(text);
});
