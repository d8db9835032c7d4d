import { runProgram } from "../command-line/run-program.ts";
import { phraseFailure } from "../command-line/usage.ts";
import type { OnStep } from "./core/telemetry/steps.ts";
import { createProgram } from "./program.ts";

/** Does what the command line says; resolves with the exit code. */
export const main = async (args: readonly string[], onStep?: OnStep): Promise<number> => {
  const outcome = await runProgram(args, createProgram(onStep));
  if (outcome.ok) return outcome.value;
  process.stderr.write(`nexus-server: ${phraseFailure(outcome.error)}\n`);
  return outcome.error.exitCode;
};

if (import.meta.main) process.exit(await main(process.argv.slice(2)));
