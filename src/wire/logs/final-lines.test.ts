import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { createFinalLines, keepFinalLines } from "./final-lines.ts";

const E = "\u001b";
const UP = `${E}[A`;

type Screen = { rows: string[]; row: number; column: number };

const put = (screen: Screen, text: string): void => {
  const row = (screen.rows[screen.row] ?? "").padEnd(screen.column);
  screen.rows[screen.row] = row.slice(0, screen.column) + text + row.slice(screen.column + text.length);
  screen.column += text.length;
};

const MOVE = new RegExp(`^${E}\\[(\\d*)([A-Z])$`);
const PART = new RegExp(`${E}\\[\\d*[A-Z]|\\r|\\n|[^${E}\\r\\n]+`, "g");

const ACTS: Readonly<Record<string, (screen: Screen, count: number) => Partial<Screen>>> = {
  A: ({ row }, count) => ({ row: Math.max(0, row - count) }),
  F: ({ row }, count) => ({ row: Math.max(0, row - count) }),
  B: ({ rows, row }, count) => ({ row: Math.min(rows.length - 1, row + count) }),
  G: () => ({ column: 0 }),
  J: ({ rows, row }) => ({ rows: rows.slice(0, row + 1) }),
  K: ({ rows, row }) => ({ rows: Object.assign([...rows], { [row]: "" }) }),
};

const act = (screen: Screen, part: string): void => {
  const [, count, kind = ""] = MOVE.exec(part) ?? [];
  const move = ACTS[kind];
  if (part === "\r") screen.column = 0;
  else if (part === "\n") screen.row += 1;
  else if (move === undefined) put(screen, part);
  else Object.assign(screen, move(screen, Number(count) || 1));
};

const draw = (log: string): readonly string[] => {
  const screen: Screen = { rows: [""], row: 0, column: 0 };
  for (const [part] of log.matchAll(PART)) act(screen, part);
  const rows = Array.from(screen.rows, (row = "") => row.trimEnd());
  return rows.slice(0, rows.findLastIndex((row) => row !== "") + 1);
};

const readRows = (log: string): readonly string[] => {
  const rows = keepFinalLines(log)
    .split("\n")
    .map((row) => row.trimEnd());
  return rows.slice(0, rows.findLastIndex((row) => row !== "") + 1);
};

const bar = fc.nat(100).map((percent) => `${String(percent).padStart(3)}%|${"#".repeat(percent / 10).padEnd(10)}|`);

const tqdm = fc
  .tuple(
    fc.integer({ min: 1, max: 6 }),
    fc.array(fc.tuple(fc.nat(5), bar), { minLength: 1, maxLength: 30 }),
    fc.boolean(),
  )
  .map(([count, updates, isLeft]) => {
    const drawn = updates.map(([at, text]) => {
      const place = at % count;
      return `${"\r\n".repeat(place)}\r${text}${UP.repeat(place)}`;
    });
    return `${drawn.join("")}${isLeft ? "\r\n".repeat(count) : `${`\r${" ".repeat(16)}\r\n`.repeat(count)}${UP.repeat(count)}\r`}`;
  });

const rich = fc
  .tuple(
    fc.integer({ min: 1, max: 6 }),
    fc.array(fc.array(bar, { minLength: 6, maxLength: 6 }), { minLength: 1, maxLength: 20 }),
  )
  .map(([count, frames]) => {
    const back = `\r${E}[2K${`${E}[1A${E}[2K`.repeat(count - 1)}`;
    return `${frames.map((frame) => frame.slice(0, count).join("\r\n")).join(back)}\r\n`;
  });

const jumping = fc
  .tuple(
    fc.integer({ min: 1, max: 6 }),
    fc.array(fc.array(bar, { minLength: 6, maxLength: 6 }), { minLength: 1, maxLength: 20 }),
  )
  .map(([count, frames]) =>
    frames
      .map((frame) =>
        frame
          .slice(0, count)
          .map((text) => `${E}[1G${E}[2K${text}\r\n`)
          .join(""),
      )
      .join(`${E}[${count}F${E}[J`),
  );

const line = fc.stringMatching(/^[a-z ]{0,20}$/).map((text) => `${text}\r\n`);

const log = fc.array(fc.oneof(line, tqdm, rich, jumping), { maxLength: 6 }).map((parts) => parts.join(""));

const cutAt = (text: string, places: readonly number[]): readonly string[] => {
  const cuts = [0, ...places.map((place) => place % (text.length + 1)).toSorted((a, b) => a - b), text.length];
  return cuts.slice(1).map((cut, index) => text.slice(cuts[index], cut));
};

describe("a log in which a program goes back to lines above", () => {
  test("is what a terminal shows of it in the end", () => {
    fc.assert(
      fc.property(log, (text) => expect(readRows(text)).toEqual(draw(text))),
      { numRuns: 500 },
    );
  });

  test("is the same in whatever pieces it comes, whatever is in it", () => {
    const piece = fc.constantFrom(
      "a",
      "bc",
      "\r",
      "\n",
      "\r\n",
      UP,
      `${E}[2A`,
      `${E}[B`,
      `${E}[K`,
      `${E}[J`,
      `${E}[70F`,
      `${E}[31m`,
      E,
    );
    const any = fc.oneof(
      log,
      fc.array(piece, { maxLength: 60 }).map((pieces) => pieces.join("")),
    );
    fc.assert(
      fc.property(any, fc.array(fc.nat()), fc.constantFrom(0, 64), (text, places, reach) => {
        const lines = createFinalLines(reach);
        const whole = createFinalLines(reach);
        expect(cutAt(text, places).map(lines.push).join("") + lines.end()).toBe(whole.push(text) + whole.end());
      }),
      { numRuns: 500 },
    );
  });

  test.each([
    [
      "bars of tqdm",
      `a\r\n\r 0%\r\n\r10%${UP}\r 5%\r\n\r20%${UP}\r100%\r\n\r100%\r\nb\r\n`,
      ["a", "100%", "100%", "b"],
    ],
    ["bars of rich", `x  0%\r\ny  0%\r${E}[2K${UP}${E}[2Kx 50%\r\ny 70%\r\nb\r\n`, ["x 50%", "y 70%", "b"]],
    ["a bar that was taken away", `a\r\nx  0%\r\ny  0%\r${E}[2K${UP}${E}[2Kb\r\n`, ["a", "b"]],
    ["a list that was drawn anew shorter", `1\r\n2\r\n3\r\n${E}[3F${E}[J4\r\n`, ["4"]],
    [
      "bars with other lines between",
      `x 0%\r\n${UP}\r${E}[Kb\r\nx 1%\r\n${UP}\r${E}[Kc\r\nx 2%\r\n`,
      ["b", "c", "x 2%"],
    ],
    ["colours, as they are", `${E}[31mx${E}[0m\r\n${UP}\r${E}[2K${E}[32my${E}[0m\r\n`, [`${E}[32my${E}[0m`]],
    ["what goes back to before its beginning", `${E}[99Ax\r\ny\r\n`, ["x", "y"]],
  ])("has each line once, as it was last: %s", (_what, text, lines) => {
    expect(keepFinalLines(text)).toBe(lines.map((one) => `${one}\n`).join(""));
  });

  test("goes back at most 64 lines, and holds no more", () => {
    const lines = createFinalLines(64);
    let shown = "";
    for (let index = 0; index < 1000; index += 1) shown += lines.push(`${index}\r\n`);
    expect(shown.split("\n")).toHaveLength(1000 - 64 + 1);
    expect(lines.push(`${E}[9999A\r${E}[2Kx`)).toBe("");
    const rest = lines.end().split("\n");
    expect([rest[0], rest[1], rest.at(-1)]).toEqual(["x", "937", "999"]);
  });

  test("is passed line by line as it comes, and a line that was passed is one more once it was drawn anew", () => {
    const lines = createFinalLines();
    const parts = ["a\r\n", "x 0%\r\n", "y 0%", `\r${UP}x 1%\r\ny 2%`, `\r${UP}x 9%\r\ny 9%`, "\r\n", "b\r\n"];
    expect(parts.map(lines.push)).toEqual(["a\n", "x 0%\n", "", "", "", "", ""]);
    expect(lines.pass()).toBe("x 9%\ny 9%\nb\n");
    expect([lines.push("c\r\n"), lines.end()]).toEqual(["c\n", ""]);
  });

  test("has nothing of a line that was passed and that a program only went by", () => {
    const lines = createFinalLines();
    expect(lines.push(`a\r\nb\r\nc${UP}${UP}\rA\r\n\r\n\r\nd`)).toBe("a\nb\n");
    expect(lines.end()).toBe("A\nc\nd");
  });

  test("gives nothing of bars where nothing comes for a while, and all that stands once they are done", () => {
    const lines = createFinalLines();
    lines.push(`\r x\r\n\r y${UP}\r x1`);
    expect(lines.pass()).toBe("");
    lines.push(`\r\n\r y1${UP}`);
    expect(lines.pass()).toBe("");
    lines.push("\r\n\r\nsaved");
    expect(lines.pass()).toBe("x1\n y1\nsaved".replace("x1", " x1"));
    expect(lines.end()).toBe("");
  });

  test("takes no more memory, and no more time for each line, however long it goes on", () => {
    const lines = createFinalLines(64);
    const frame = `\r${E}[2K${`${UP}${E}[2K`.repeat(9)}${"bar 50% ".repeat(10)}\r\n`.repeat(10);
    const startedAt = performance.now();
    for (let index = 0; index < 2000; index += 1) lines.push(frame);
    expect(lines.end().length).toBeLessThan(20_000);
    expect(performance.now() - startedAt).toBeLessThan(20_000);
  });
});
