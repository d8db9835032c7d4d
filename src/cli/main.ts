import { describeDiskTrouble } from "../base/describe-disk-trouble.ts";
import { err } from "../base/result.ts";
import { DONE, type Outcome } from "../command-line/command.ts";
import { runProgram } from "../command-line/run-program.ts";
import { NX } from "./program.ts";
import { hint } from "./terminal/output.ts";

const printCompletions = async (words: readonly string[]): Promise<Outcome> => {
  const { completeWords } = await import("./complete-words.ts");
  await completeWords(words);
  return DONE;
};

const run = (words: readonly string[]): Promise<Outcome> =>
  words[0] === "__complete" ? printCompletions(words.slice(1)) : runProgram(words, NX);

const explain = (error: unknown): string =>
  describeDiskTrouble(error) ?? `unexpected: ${error instanceof Error ? error.stack : String(error)}`;

const outcome = await run(process.argv.slice(2)).catch(
  (error: unknown): Outcome => err({ exitCode: 1, message: explain(error) }),
);
if (!outcome.ok) hint(`nx: ${outcome.error.message}`);
process.exitCode = outcome.ok ? outcome.value : outcome.error.exitCode;
