import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "../../tests/support/programs.ts";
import { renderVerbHelp } from "../command-line/help.ts";
import { renderHelp } from "./help.ts";
import { VERBS } from "./verb-table.ts";

const reference = readFileSync(join(ROOT, "docs", "cli.md"), "utf8");

test.each(Object.keys(VERBS))("docs/cli.md says of %s what its help says", async (name) => {
  const module = await VERBS[name]?.();
  const help = module === undefined ? "no such verb" : renderVerbHelp(module.verb);
  expect(reference).toContain(`\n${help}\n`);
});

test("help names every verb, in lines of a terminal's width", async () => {
  const help = await renderHelp();
  for (const name of Object.keys(VERBS)) if (name !== "status") expect(help).toContain(`\n  ${name} `);
  for (const line of help.split("\n")) expect(line.length).toBeLessThanOrEqual(80);
});
