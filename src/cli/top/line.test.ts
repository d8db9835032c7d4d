import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { measureWidth } from "../terminal/text-width.ts";
import { diffScreen, fitLine, paintLine, readLine, span } from "./line.ts";

const E = "\u001b";

describe("drawing", () => {
  test("nothing is sent when nothing has changed", () => {
    expect(diffScreen(["a", "b"], ["a", "b"])).toBe("");
  });

  test("only rows that have changed are sent, each to its place", () => {
    expect(diffScreen(["a", "b", "c"], ["a", "B", "c"])).toBe(`${E}[2;1H${E}[2KB`);
  });

  test("all is sent when it is not known what is there", () => {
    expect(diffScreen(null, ["a", ""])).toBe(`${E}[2J${E}[1;1H${E}[2Ka${E}[2;1H${E}[2K`);
  });
});

describe("a line", () => {
  const line = [span("plain "), span("red", "red"), span("  ")];

  test("has its colours, or none at all", () => {
    expect(paintLine(line, true)).toStartWith(`plain ${E}[31mred${E}[0m`);
    expect(paintLine(line, false)).toBe("plain red");
  });

  test("is never wider than it may be, whatever it holds", () => {
    const text = fc.string({ unit: fc.constantFrom("a", "漢", "é", "🙂", "e\u0301", " ") });
    fc.assert(
      fc.property(fc.array(text), fc.integer({ min: 1, max: 30 }), (texts, width) => {
        expect(
          measureWidth(
            readLine(
              fitLine(
                texts.map((part) => span(part)),
                width,
              ),
            ),
          ),
        ).toBeLessThanOrEqual(width);
      }),
    );
  });
});
