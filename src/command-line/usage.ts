import { err, type Problem, type Result } from "../base/result.ts";
import type { Failure } from "./command.ts";

export const FAILED = 1;
export const WRONG_USAGE = 2;
export const UNREACHABLE = 3;
export const REFUSED = 4;
export const NO_SUCH_THING = 5;
export const WRONG_STATE = 6;
export const INTERRUPTED = 130;

/** What each exit code of the programs themselves means, with the name that a failure of its kind has where it has none of its own. */
export const EXIT_CODES: readonly Readonly<{ exitCode: number; name: string; means: string }>[] = [
  { exitCode: 0, name: "DONE", means: "done" },
  { exitCode: FAILED, name: "FAILED", means: "it failed; one line says why" },
  {
    exitCode: WRONG_USAGE,
    name: "WRONG_USAGE",
    means: "wrong usage, or a question that can't be asked without a terminal",
  },
  { exitCode: UNREACHABLE, name: "UNREACHABLE", means: "the server can't be reached" },
  { exitCode: REFUSED, name: "REFUSED", means: "the server refused you: who you are, your role, or your limits" },
  { exitCode: NO_SUCH_THING, name: "NO_SUCH_THING", means: "there is no such job, GPU, target, file or variable" },
  { exitCode: WRONG_STATE, name: "WRONG_STATE", means: "its state does not allow it: a job has ended, GPUs are taken" },
  { exitCode: INTERRUPTED, name: "INTERRUPTED", means: "interrupted by Ctrl-C; a job that was followed goes on" },
];

export const phraseFailure = ({ message, hint }: Failure): string =>
  hint === undefined ? message : `${message}; ${hint}`;

export const addHint = <Told extends Failure>(failure: Told, hint: string): Told => ({
  ...failure,
  hint: failure.hint === undefined ? hint : `${failure.hint}; ${hint}`,
});

const refuse = (exitCode: number, message: string, hint: string | undefined): Result<never, Failure> =>
  err({ exitCode, message, ...(hint === undefined ? {} : { hint }) });

export const fail = (message: string, hint?: string): Result<never, Failure> => refuse(FAILED, message, hint);

export const failUsage = (message: string, hint?: string): Result<never, Failure> => refuse(WRONG_USAGE, message, hint);

export const failMissing = (message: string, hint?: string): Result<never, Failure> =>
  refuse(NO_SUCH_THING, message, hint);

export const failState = (message: string, hint?: string): Result<never, Failure> => refuse(WRONG_STATE, message, hint);

export const convertProblem = <Value>(result: Result<Value, Problem>): Result<Value, Failure> =>
  result.ok ? result : fail(result.error.message);
