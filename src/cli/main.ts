import { describeDiskTrouble } from "../base/describe-disk-trouble.ts";
import { err } from "../base/result.ts";
import { asksForJson } from "../command-line/asks-for-json.ts";
import { DONE, type Outcome } from "../command-line/command.ts";
import { runProgram } from "../command-line/run-program.ts";
import { chooseTelling } from "../command-line/tell-failure.ts";
import { FAILED, failUsage } from "../command-line/usage.ts";
import { describeBrokenWord } from "../tools/describe-broken-word.ts";
import { NX } from "./program.ts";
import { hint } from "./terminal/output.ts";

const printCompletions = async (words: readonly string[]): Promise<Outcome> => {
  const { completeWords } = await import("./complete-words.ts");
  await completeWords(words);
  return DONE;
};

const run = async (words: readonly string[]): Promise<Outcome> => {
  if (words[0] === "__complete") return printCompletions(words.slice(1));
  const broken = describeBrokenWord(words);
  return broken === null ? runProgram(words, NX) : failUsage(broken);
};

const explain = (error: unknown): string =>
  describeDiskTrouble(error) ?? `unexpected: ${error instanceof Error ? error.stack : String(error)}`;

const words = process.argv.slice(2);
const tell = chooseTelling({ name: NX.name, say: hint }, await asksForJson(words, NX));
const outcome = await run(words).catch((error: unknown): Outcome => err({ exitCode: FAILED, message: explain(error) }));
if (!outcome.ok) tell(outcome.error);
process.exitCode = outcome.ok ? outcome.value : outcome.error.exitCode;
