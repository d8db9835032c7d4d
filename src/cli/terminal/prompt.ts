import type { Interface } from "node:readline";
import { err, ok, type Result } from "../../base/result.ts";
import type { Failure } from "../../command-line/command.ts";
import { failUsage, INTERRUPTED } from "../../command-line/usage.ts";
import { isTerminal } from "./is-terminal.ts";
import { hint } from "./output.ts";

export const canPrompt = (): boolean => isTerminal("input") && isTerminal("errors");

const openTerminal = async (isHidden: boolean): Promise<Interface> => {
  const { createInterface } = await import("node:readline");
  if (!isHidden) return createInterface({ input: process.stdin, output: process.stderr });
  const { Writable } = await import("node:stream");
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  return createInterface({ input: process.stdin, output: nowhere, terminal: true });
};

const INTERRUPT = Symbol("interrupt");
const NO_ANSWER = Symbol("no answer");

type Answer = string | typeof INTERRUPT | typeof NO_ANSWER;

const ask = async (question: string, isHidden = false): Promise<Answer> => {
  const terminal = await openTerminal(isHidden);
  if (isHidden) process.stderr.write(question);
  const { promise, resolve } = Promise.withResolvers<Answer>();
  terminal.once("SIGINT", () => resolve(INTERRUPT));
  terminal.once("close", () => resolve(NO_ANSWER));
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

/** What is typed is not shown. Without a terminal it is refused with `elsewhere`, and `advice` says how else to give it. */
export const askSecret = async (
  question: string,
  elsewhere: string,
  advice: string,
): Promise<Result<string, Failure>> => {
  if (!canPrompt()) return failUsage(elsewhere, advice);
  const answer = await ask(question, true);
  return answer === INTERRUPT ? refuseInterrupted() : ok(answer === NO_ANSWER ? "" : answer.trim());
};

const isAgreed = (answer: string, isDefault: boolean): boolean =>
  answer.trim() === "" ? isDefault : /^y(es)?$/i.test(answer.trim());

/** Asks on a terminal; elsewhere the answer is yes, which is the default then, or a failure where there is none. */
export const confirm = async (
  question: string,
  elsewhere: true | string,
  advice?: string,
): Promise<Result<boolean, Failure>> => {
  if (!canPrompt()) return elsewhere === true ? ok(true) : failUsage(elsewhere, advice);
  const answer = await ask(`${question} ${elsewhere === true ? "[Y/n]" : "[y/N]"} `);
  if (answer === INTERRUPT) return refuseInterrupted();
  return ok(answer !== NO_ANSWER && isAgreed(answer, elsewhere === true));
};
