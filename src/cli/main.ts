import { DONE, type Outcome } from "../command-line/command.ts";
import { runProgram } from "../command-line/run-program.ts";
import { fail } from "../command-line/usage.ts";
import { NX } from "./program.ts";
import { hint } from "./terminal/output.ts";

const printCompletions = async (words: readonly string[]): Promise<Outcome> => {
  const { completeWords } = await import("./complete-words.ts");
  await completeWords(words);
  return DONE;
};

const run = (words: readonly string[]): Promise<Outcome> =>
  words[0] === "__complete" ? printCompletions(words.slice(1)) : runProgram(words, NX);

const explainThrown = async (error: unknown): Promise<Outcome> => {
  const { explainUnusable } = await import("./settings/unusable-file.ts");
  const unexpected = `unexpected: ${error instanceof Error ? error.stack : String(error)}`;
  return fail(explainUnusable(error) ?? unexpected);
};

const outcome = await run(process.argv.slice(2)).catch(explainThrown);
if (!outcome.ok) hint(`nx: ${outcome.error.message}`);
process.exitCode = outcome.ok ? outcome.value : outcome.error.exitCode;
