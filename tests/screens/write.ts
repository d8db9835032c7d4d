import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { FIXTURES } from "../support/programs.ts";
import { recordScreens } from "./record.ts";

const folder = join(FIXTURES, "screens");
const screens = await recordScreens();
rmSync(folder, { recursive: true, force: true });
mkdirSync(folder);
for (const [name, text] of screens) writeFileSync(join(folder, name), text);
