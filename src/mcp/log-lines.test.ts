import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { chooseLines, createMatcher, readLines } from "./log-lines.ts";

const RECORDED = `Script started on 2026-11-29 08:00:00+00:00 [COMMAND="bash"]
epoch 1\r
  0%|          | 0/9\r 50%|#####     | 4/9\r100%|##########| 9/9\r
\u001b[31mloss\u001b[0m 0.5\r

Script done on 2026-11-29 08:00:01+00:00 [COMMAND_EXIT_CODE="0"]
`;

const find = async (log: string, pattern: string | undefined, most = 10) => {
  const matches = await createMatcher(pattern);
  if (!matches.ok) return matches.error.message;
  return chooseLines(log, matches.value, most);
};

describe("lines of a log", () => {
  test("are as they looked at their end, without the recorder's own", () => {
    expect(readLines(RECORDED)).toEqual(["epoch 1", "100%|##########| 9/9", "loss 0.5"]);
  });

  test("are there once, as they were last, where several bars were drawn anew", () => {
    expect(readLines("a\r\n\r x 1%\r\n\r y 2%\u001b[A\r x 3%\r\n\r y 4%\r\n\r\nb\r\n")).toEqual([
      "a",
      " x 3%",
      " y 4%",
      "",
      "b",
    ]);
  });

  test("that only look like the recorder's are a job's own", () => {
    const own = "first\nScript started on a stage [x]\nlast\n";
    expect(readLines(own)).toEqual(["first", "Script started on a stage [x]", "last"]);
  });

  test("are cut where they are long, and none where there is nothing", () => {
    expect(readLines(`${"x".repeat(1000)}\n`)).toEqual([`${"x".repeat(400)}…`]);
    expect(readLines("")).toEqual([]);
  });

  test("are the last that match, and those left out are counted", async () => {
    expect(await find("a1\nb\na2\na3\n", "^a", 2)).toEqual({ lines: ["a2", "a3"], left_out: 1 });
    expect(await find("a1\nb\n", undefined, 0)).toEqual({ lines: [], left_out: 2 });
    expect(await find("a", "(")).toContain("not a regular expression");
  });

  test("are found at once by any pattern", async () => {
    const startedAt = performance.now();
    expect(await find("a", "((a|b|c){1,30}){1,30}")).toBe(
      "search: the regular expression is too large; make it simpler",
    );
    await find(`${"a".repeat(399)}!\n`.repeat(500), "^(a+)+$");
    expect(performance.now() - startedAt).toBeLessThan(5000);
  });

  test("let everything else have its turn while they are searched", async () => {
    let turns = 0;
    const timer = setInterval(() => {
      turns += 1;
    }, 1);
    await find(`${"loss 0.123456789 ".repeat(20)}\n`.repeat(100_000), "(a|b|c)+x$");
    clearInterval(timer);
    expect(turns).toBeGreaterThan(5);
  });

  test("never hold what moves a cursor or ends a line", () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom("a", "\r", "\n", "\u001b[2J", "\u001b[31m", "é")), (parts) => {
        for (const line of readLines(parts.join(""))) expect(line).not.toMatch(/\p{Cc}/u);
      }),
    );
  });
});
