import { describe, expect, test } from "bun:test";
import { listSources, parseSource } from "../house/source-file.ts";
import { applyBreak, describeBreak, listBreaks, locateBreak, shuffleBreaks } from "./breaks.ts";

const breakAll = (text: string, kind: string): readonly string[] =>
  listBreaks(parseSource("a.ts", text))
    .filter((one) => one.kind === kind)
    .map((one) => applyBreak(one, text));

describe("the breaks", () => {
  test.each([
    ["negated", "if (a()) b;", ["if (!(a())) b;"]],
    ["negated", "const b = !a ? 1n : 2n;", ["const b = a ? 1n : 2n;"]],
    ["negated", "while (a && b) c;", ["while (!(a && b)) c;"]],
    ["negated", "if (a < b) c;", []],
    ["side dropped", "const c = a && b;", ["const c = a;", "const c = b;"]],
    ["side dropped", "const f = () => a || (b ? c : d);", ["const f = () => a;", "const f = () => (b ? c : d);"]],
    ["comparison", "const c = a === b;", ["const c = a !== b;"]],
    ["comparison", "const c = (a) <= (b);", ["const c = (a) > (b);"]],
    ["boundary", "const c = a < b;", ["const c = a <= b;"]],
    ["boundary", "const c = a >= b;", ["const c = a > b;"]],
    ["boundary", "const c = a === b;", []],
    ["number", "const a = 3;", ["const a = 4;", "const a = 2;"]],
    ["number", "const a = 0;", ["const a = 1;"]],
    ["number", "const a = 30_000;", ["const a = 300000;"]],
    ["number", "const a = 0.5;", ["const a = 5;"]],
    ["number", "type A = 1 | -2; const a = 3n;", []],
    ["boolean", "const a = true;", ["const a = false;"]],
    ["boolean", "type A = true;", []],
    ["order", "{ a(); b(); }", ["{ b(); a(); }"]],
    ["order", "{ const a = b; c(); }", ["{ c(); const a = b; }"]],
    ["order", "{ const a = b; const c = d; throw a; }", []],
    ["order", "switch (a) { case b: c(); d(); break; }", ["switch (a) { case b: d(); c(); break; }"]],
    ["await dropped", "const a = await b();", ["const a = b();"]],
    ["call dropped", "{ a(); }", ["{ ; }"]],
    ["call dropped", "{ await a(); }", ["{ ; }"]],
    ["call dropped", "{ void a?.(); }", ["{ ; }"]],
    ["call dropped", "const f = () => void a();", ["const f = () => undefined;"]],
    ["call dropped", "{ a = b; }", ["{ ; }"]],
    ["call dropped", "const a = b();", []],
    ["early return dropped", "const f = () => { if (a) return; b(); };", ["const f = () => { ; b(); };"]],
    ["early return dropped", "for (const a of b) if (a) { continue; }", ["for (const a of b) ;"]],
    ["early return dropped", "if (a) b();", []],
    ["optional chaining", "const c = a?.b;", ["const c = undefined;", "const c = a.b;"]],
    ["optional chaining", "const c = a?.[b];", ["const c = undefined;", "const c = a[b];"]],
    ["optional chaining", "a?.();", ["a();"]],
    ["default", "const c = a ?? {};", ["const c = a;", "const c = ({});"]],
    ["default", "const f = (a = b) => a;", ["const f = (a) => a;"]],
  ])("%s: %s", (kind, text, broken) => {
    expect(breakAll(text, kind)).toEqual(broken);
  });

  test("of the sources all change something, and none twice the same", () => {
    for (const file of listSources("src/server/core")) {
      const broken = listBreaks(file).map((one) => applyBreak(one, file.text));
      expect([...new Set(broken), file.text]).toHaveLength(broken.length + 1);
      expect(broken).not.toContain(file.text);
    }
  });

  test("are drawn in the same order by the same seed, in another by another, whatever other files hold", () => {
    const breaks = listBreaks(parseSource("a.ts", "const a = [1, 2, 3, 4, 5, 6];"));
    const others = listBreaks(parseSource("b.ts", "const b = [1, 2, 3];"));
    const drawn = shuffleBreaks(breaks, 1);
    expect(new Set(drawn)).toEqual(new Set(breaks));
    expect(drawn).toHaveLength(breaks.length);
    expect(shuffleBreaks(breaks.toReversed(), 1)).toEqual(drawn);
    expect(shuffleBreaks([...others, ...breaks], 1).filter(({ path }) => path === "a.ts")).toEqual([...drawn]);
    expect(shuffleBreaks(breaks, 2)).not.toEqual(drawn);
  });

  test("are shown as the lines before and after, and where they begin", () => {
    const text = "const a = 1;\nif (\n  a\n) b();\n";
    const [one] = listBreaks(parseSource("src/a.ts", text)).filter(({ kind }) => kind === "negated");
    if (one === undefined) throw new Error("there is no break");
    expect(locateBreak(one, text)).toBe("src/a.ts:3");
    expect(describeBreak(one, text)).toBe("-   a\n+   !(a)");
  });
});
