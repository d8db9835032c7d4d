import { asksForJson } from "../command-line/asks-for-json.ts";
import { runProgram } from "../command-line/run-program.ts";
import { chooseTelling } from "../command-line/tell-failure.ts";
import { failUsage } from "../command-line/usage.ts";
import { describeBrokenWord } from "../tools/describe-broken-word.ts";
import type { OnStep } from "./core/telemetry/steps.ts";
import { createProgram } from "./program.ts";

const say = (line: string): void => void process.stderr.write(`${line}\n`);

/** Does what the command line says; resolves with the exit code. */
export const main = async (args: readonly string[], onStep?: OnStep): Promise<number> => {
  const program = createProgram(onStep);
  const tell = chooseTelling({ name: program.name, say }, await asksForJson(args, program));
  const broken = describeBrokenWord(args);
  const outcome = broken === null ? await runProgram(args, program) : failUsage(broken);
  if (outcome.ok) return outcome.value;
  tell(outcome.error);
  return outcome.error.exitCode;
};

if (import.meta.main) process.exit(await main(process.argv.slice(2)));
