import { runProgram } from "../command-line/run-program.ts";
import { failUsage, phraseFailure } from "../command-line/usage.ts";
import { describeBrokenWord } from "../tools/describe-broken-word.ts";
import type { OnStep } from "./core/telemetry/steps.ts";
import { createProgram } from "./program.ts";

/** Does what the command line says; resolves with the exit code. */
export const main = async (args: readonly string[], onStep?: OnStep): Promise<number> => {
  const broken = describeBrokenWord(args);
  const outcome = broken === null ? await runProgram(args, createProgram(onStep)) : failUsage(broken);
  if (outcome.ok) return outcome.value;
  process.stderr.write(`nexus-server: ${phraseFailure(outcome.error)}\n`);
  return outcome.error.exitCode;
};

if (import.meta.main) process.exit(await main(process.argv.slice(2)));
