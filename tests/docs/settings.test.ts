import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { renderSettingsPage, SETTINGS_PAGE } from "../../scripts/settings.ts";
import { ROOT } from "../support/programs.ts";

const read = (path: string): string => readFileSync(join(ROOT, path), "utf8");

test("the page of the settings says what the server reads (npm run settings writes it anew)", () => {
  expect(read(SETTINGS_PAGE)).toBe(renderSettingsPage());
});

test.each(["README.md", "docs/install.md", "docs/operations.md", "docs/integrations.md", "docs/api.md"])(
  "%s leads to it",
  (path) => {
    expect(read(path)).toMatch(/\]\((docs\/)?settings\.md(#\w+)?\)/);
  },
);
