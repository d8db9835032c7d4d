import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { VERSION } from "../src/base/version.ts";
import { VERBS } from "../src/cli/verb-table.ts";
import { renderClientPage, renderHelpPage } from "./man-page.ts";

const ROOT = join(import.meta.dirname, "..");

/** The manual pages by the path that they stand at. */
export const renderPages = async (): Promise<Readonly<Record<string, string>>> => {
  const verbs = await Promise.all(Object.values(VERBS).map(async (load) => (await load()).verb));
  const server = join(ROOT, "src", "server", "main.ts");
  const help = execFileSync(process.execPath, [server, "--help"], { encoding: "utf8" });
  return {
    "docs/man/nx.1": renderClientPage(verbs, VERSION),
    "docs/man/nexus-server.1": renderHelpPage("nexus-server", help, VERSION),
  };
};

if (import.meta.main)
  for (const [path, text] of Object.entries(await renderPages())) writeFileSync(join(ROOT, path), text);
