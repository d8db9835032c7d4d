import { describe, expect, test } from "bun:test";
import { createClearing, holdFarewell, paintEnd } from "./shown-output.ts";

const E = "\u001b";

describe("screen's last words", () => {
  test.each([
    [`bye\r\n${E}[?1l${E}>${E}[24;1H\r\n[screen is terminating]\r\n`, `bye\r\n${E}[?1l${E}>`],
    [`${E}[9;1H\r\n[detached from 30816.nexus_job_6hfsmk]\r\n`, ""],
    [`${E}[9;1H\r\n[remote detached from 3.x]\r\n`, ""],
    ["[screen is terminating]\r\n", "[screen is terminating]\r\n"],
    [`${E}[24;1H\r\n[screen is terminating]\r\nmore`, `${E}[24;1H\r\n[screen is terminating]\r\nmore`],
    ["é".repeat(400), "é".repeat(400)],
    ["", ""],
  ])("%j becomes %j, also in two pieces", (text, left) => {
    const bytes = Buffer.from(text);
    const end = bytes.indexOf("\r\n[") + 2;
    for (const cut of [0, end, end + 1, bytes.length - 1, bytes.length].filter((place) => place >= 0)) {
      const passed: Uint8Array[] = [];
      const farewell = holdFarewell((piece) => passed.push(piece));
      for (const piece of [bytes.subarray(0, cut), bytes.subarray(cut)]) farewell.push(piece);
      farewell.drop();
      expect([cut, Buffer.concat(passed).toString()]).toEqual([cut, left]);
    }
  });

  test("that are none come a moment later", async () => {
    const { promise, resolve } = Promise.withResolvers<string>();
    const begun = `${E}[24;1H\r\n[scree`;
    holdFarewell((piece) => resolve(Buffer.from(piece).toString())).push(Buffer.from(begun));
    expect(await promise).toBe(begun);
  });
});

test("a screen is cleared once, then erased row by row, wherever the bytes are cut", () => {
  const clear = createClearing(() => 2);
  const show = (text: string): string => Buffer.from(clear(Buffer.from(text))).toString();
  const erased = `${E}[1;1H${E}[2K${E}[2;1H${E}[2K${E}[H`;
  expect(show("before")).toBe("before");
  expect(show(`${E}[H${E}[Jé${E}[H${E}[2Jb`)).toBe(`${E}[H${E}[Jé${erased}b`);
  expect(show(`${E}[H${E}[J`)).toBe(erased);
  expect(show(`${E}[3;1H${E}[J`)).toBe(`${E}[3;1H${E}[J`);
});

describe("the end of a log", () => {
  const paint = (log: string, rows = 5): string => {
    const [, text = ""] = paintEnd(log, { rows, columns: 10 }).split(`${E}[H`);
    return text;
  };

  test.each([
    ["", ""],
    ["a\nb\n", "a\r\nb\r\n"],
    ["1\n2\n3\n4\n5\n6\n", "3\r\n4\r\n5\r\n6\r\n"],
    ["1\n2\n3\n4\n5\n6", "2\r\n3\r\n4\r\n5\r\n6\r\n"],
    [`1\n${"x".repeat(21)}\n2\n`, `${"x".repeat(21)}\r\n2\r\n`],
    [`1\n2\n${"日".repeat(6)}\n3\n`, `2\r\n${"日".repeat(6)}\r\n3\r\n`],
    [`1\n2\n3\n${E}[31mred line!${E}[0m\n`, `1\r\n2\r\n3\r\n${E}[31mred line!${E}[0m\r\n`],
    [`1\n2\n3\n${"50 %\r".repeat(9)}done\n`, `1\r\n2\r\n3\r\n${"50 %\r".repeat(9)}done\r\n`],
    [`1\n${"x".repeat(99)}\n`, `${"x".repeat(99)}\r\n`],
  ])("%j fills a screen of 5 rows and 10 columns as %j", (log, text) => {
    expect(paint(log)).toBe(text);
  });

  test("takes the place of every row", () => {
    const [erasing = ""] = paintEnd("a\n", { rows: 3, columns: 10 }).split(`${E}[H`);
    expect(erasing).toBe(`${E}[0m${E}[1;1H${E}[2K${E}[2;1H${E}[2K${E}[3;1H${E}[2K`);
  });
});
