import { err, ok, type Result } from "../shared/result.ts";
import { failUsage, INTERRUPTED } from "./failure.ts";
import { hint } from "./output.ts";
import { isTerminal } from "./terminal.ts";
import type { Failure } from "./verb.ts";

export const canPrompt = (): boolean => isTerminal("input") && isTerminal("errors");

const ask = async (question: string): Promise<string | "interrupted"> => {
  const { createInterface } = await import("node:readline");
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  const { promise, resolve } = Promise.withResolvers<string>();
  terminal.once("SIGINT", () => resolve("interrupted"));
  terminal.once("close", () => resolve(""));
  terminal.question(question, resolve);
  try {
    return await promise;
  } finally {
    terminal.close();
  }
};

/** Asks on a terminal; elsewhere the answer is the default, or a failure where there is none. */
export const confirm = async (question: string, elsewhere: true | string): Promise<Result<boolean, Failure>> => {
  if (!canPrompt()) return elsewhere === true ? ok(true) : failUsage(elsewhere);
  const answer = await ask(`${question} [y/N] `);
  if (answer !== "interrupted") return ok(/^y(es)?$/i.test(answer.trim()));
  hint("");
  return err({ exitCode: INTERRUPTED, message: "interrupted" });
};
