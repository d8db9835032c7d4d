import { existsSync } from "node:fs";
import type { OnStep } from "../../src/server/core/telemetry/steps.ts";
import { main } from "../../src/server/main.ts";
import { blockUntil } from "./wait.ts";

const MS_A_FILE = 20;

const hurriesFrom = process.env["HURRY_FROM"] ?? "";

const dawdle: OnStep = (step) => {
  const until = performance.now() + MS_A_FILE;
  if (step === "file moved") blockUntil(() => performance.now() > until || existsSync(hurriesFrom));
};

process.exit(await main(process.argv.slice(2), dawdle));
