import { createInterface } from "node:readline/promises";
import { ok, type Result } from "../shared/result.ts";
import { failUsage } from "./failure.ts";
import type { Failure } from "./verb.ts";

export const canPrompt = (): boolean => process.stdin.isTTY === true && process.stderr.isTTY === true;

const ask = async (question: string): Promise<string> => {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return await terminal.question(question);
  } finally {
    terminal.close();
  }
};

/** Asks on a terminal; elsewhere the answer is the default, or a failure where there is none. */
export const confirm = async (question: string, elsewhere: true | string): Promise<Result<boolean, Failure>> => {
  if (!canPrompt()) return elsewhere === true ? ok(true) : failUsage(elsewhere);
  const answer = await ask(`${question} [y/N] `);
  return ok(/^y(es)?$/i.test(answer.trim()));
};
