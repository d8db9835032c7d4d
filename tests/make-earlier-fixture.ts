import { cpSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { installEarlier, runEarlier } from "./support/earlier.ts";
import { FIXTURES } from "./support/programs.ts";
import { canInstall } from "./support/python.ts";

const main = (): void => {
  if (!canInstall) throw new Error("this needs PyPI");
  const place = mkdtempSync(join(tmpdir(), "nexus-earlier-"));
  try {
    const folder = join(place, "written");
    mkdirSync(folder);
    const venv = installEarlier(join(place, "venv"));
    runEarlier(venv, ["fixture", folder], { PATH: process.env["PATH"], HOME: folder });
    rmSync(join(FIXTURES, "earlier"), { recursive: true, force: true });
    cpSync(folder, join(FIXTURES, "earlier"), { recursive: true });
  } finally {
    rmSync(place, { recursive: true });
  }
};

main();
