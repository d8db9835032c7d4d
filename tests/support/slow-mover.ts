import { existsSync } from "node:fs";
import type { OnStep } from "../../src/server/core/telemetry/steps.ts";
import { main } from "../../src/server/main.ts";

const PAUSE_MS = 20;

const hurriesFrom = process.env["HURRY_FROM"] ?? "";

const rest: OnStep = (step) => {
  if (step === "file moved" && !existsSync(hurriesFrom)) Bun.sleepSync(PAUSE_MS);
};

process.exit(await main(process.argv.slice(2), rest));
