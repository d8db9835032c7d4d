import type { Interface } from "node:readline";
import { err, ok, type Result } from "../shared/result.ts";
import { failUsage, INTERRUPTED } from "./failure.ts";
import { hint } from "./output.ts";
import { isTerminal } from "./terminal.ts";
import type { Failure } from "./verb.ts";

export const canPrompt = (): boolean => isTerminal("input") && isTerminal("errors");

const openTerminal = async (isHidden: boolean): Promise<Interface> => {
  const { createInterface } = await import("node:readline");
  if (!isHidden) return createInterface({ input: process.stdin, output: process.stderr });
  const { Writable } = await import("node:stream");
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  return createInterface({ input: process.stdin, output: nowhere, terminal: true });
};

const INTERRUPT = Symbol("interrupt");

const ask = async (question: string, isHidden = false): Promise<string | typeof INTERRUPT> => {
  const terminal = await openTerminal(isHidden);
  if (isHidden) process.stderr.write(question);
  const { promise, resolve } = Promise.withResolvers<string | typeof INTERRUPT>();
  terminal.once("SIGINT", () => resolve(INTERRUPT));
  terminal.once("close", () => resolve(""));
  terminal.question(question, resolve);
  try {
    return await promise;
  } finally {
    terminal.close();
    if (isHidden) hint("");
  }
};

const refuseInterrupted = (): Result<never, Failure> => {
  hint("");
  return err({ exitCode: INTERRUPTED, message: "interrupted" });
};

/** What is typed is not shown. Without a terminal `elsewhere` says how else to give it. */
export const askSecret = async (question: string, elsewhere: string): Promise<Result<string, Failure>> => {
  if (!canPrompt()) return failUsage(elsewhere);
  const answer = await ask(question, true);
  return answer === INTERRUPT ? refuseInterrupted() : ok(answer.trim());
};

/** Asks on a terminal; elsewhere the answer is the default, or a failure where there is none. */
export const confirm = async (question: string, elsewhere: true | string): Promise<Result<boolean, Failure>> => {
  if (!canPrompt()) return elsewhere === true ? ok(true) : failUsage(elsewhere);
  const answer = await ask(`${question} [y/N] `);
  return answer === INTERRUPT ? refuseInterrupted() : ok(/^y(es)?$/i.test(answer.trim()));
};
