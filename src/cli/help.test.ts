import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "../../tests/support/programs.ts";
import { renderVerbHelp } from "../command-line/help.ts";
import { NX } from "./program.ts";

const reference = readFileSync(join(ROOT, "docs", "cli.md"), "utf8");

test.each(Object.keys(NX.verbs))("docs/cli.md says of %s what its help says", async (name) => {
  const module = await NX.verbs[name]?.();
  const help = module === undefined ? "no such verb" : renderVerbHelp(module.verb, NX);
  expect(reference).toContain(`\n${help}\n`);
});
