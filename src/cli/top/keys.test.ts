import { expect, test } from "bun:test";
import fc from "fast-check";
import { decodeKeys, flushKeys } from "./keys.ts";

const E = "\u001b";

test.each([
  ["letters, and those of other alphabets", "qкé漢🙂", ["q", "к", "é", "漢", "🙂"]],
  ["arrows, as a terminal sends them in both of its modes", `${E}[A${E}OB`, ["up", "down"]],
  ["pages and ends", `${E}[5~${E}[6~${E}[H${E}[4~`, ["page up", "page down", "home", "end"]],
  ["control keys", "\r\u007f\u0003\u001a\u000c", ["enter", "backspace", "interrupt", "suspend", "redraw"]],
  ["the escape key before another key", `${E}${E}[A${E}\u0003`, ["escape", "up", "escape", "interrupt"]],
])("%s are told apart", (_what, text, keys) => {
  expect(decodeKeys(text)).toEqual({ keys, rest: "" });
});

test.each([
  ["keys that mean nothing here", `${E}[1;5C${E}[24~${E}OP`],
  ["a letter with Alt", `${E}y`],
  ["what a terminal answers or reports", `${E}[?62;c${E}[I`],
  ["what is pasted", `${E}[200~xy\r${E}[201~`],
  ["other control characters", "\u0000\u0001\u009b"],
])("%s is left out", (_what, text) => {
  expect(decodeKeys(`${text}j`)).toEqual({ keys: ["j"], rest: "" });
});

test("a key that comes in pieces waits for its end", () => {
  expect(decodeKeys(`j${E}`)).toEqual({ keys: ["j"], rest: E });
  expect(decodeKeys(`${E}[5`)).toEqual({ keys: [], rest: `${E}[5` });
  expect(decodeKeys(`${E}[200~xy`)).toEqual({ keys: [], rest: `${E}[200~xy` });
});

test("an escape that nothing follows is the escape key, a paste that goes on is not", () => {
  expect(flushKeys(E)).toEqual({ keys: ["escape"], rest: "" });
  expect(flushKeys(`${E}[200~x`)).toEqual({ keys: [], rest: `${E}[200~x` });
});

test("in whatever pieces they come, the keys are the same", () => {
  const piece = fc.constantFrom(`${E}[A`, `${E}OB`, `${E}[5~`, "j", "漢", `${E}[200~xy${E}[201~`, "\r");
  fc.assert(
    fc.property(fc.array(piece), fc.nat(), (pieces, cut) => {
      const text = pieces.join("");
      const first = decodeKeys(text.slice(0, cut));
      const second = decodeKeys(first.rest + text.slice(cut));
      expect([...first.keys, ...second.keys]).toEqual([...decodeKeys(text).keys]);
    }),
  );
});
