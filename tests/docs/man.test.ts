import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { renderPages } from "../../scripts/man.ts";
import { ROOT } from "../support/programs.ts";

const pages = await renderPages();

test.each(Object.entries(pages))("%s says what the help says (npm run man writes it anew)", (path, text) => {
  expect(readFileSync(join(ROOT, path), "utf8")).toBe(text);
});

test.each(Object.entries(pages))(
  "%s has no line that roff would take for a request it does not know",
  (_path, text) => {
    const requests = text.split("\n").flatMap((line) => /^\.(\S+)/.exec(line)?.[1] ?? []);
    const known = ["TH", "SH", "SS", "TP", "PP", "B", "BR", "EX", "EE"];
    expect(requests.filter((request) => !known.includes(request))).toEqual([]);
  },
);
