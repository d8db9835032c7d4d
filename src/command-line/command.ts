import type { Result } from "../base/result.ts";

/** `value` names what the flag takes; without it the flag is a switch. `many` may be given again and again; of
 * `choices` several may follow one another. */
export type Flag = Readonly<{
  long: string;
  short?: string;
  value?: string;
  many?: boolean;
  choices?: readonly string[];
  help: string;
}>;

export type FlagValues = Readonly<Record<string, string | boolean | readonly string[] | undefined>>;

export type Invocation = Readonly<{ flags: FlagValues; words: readonly string[] }>;

/** `exitCode` is one of the contract: 1 failed, 2 wrong usage, 3 unreachable, 4 refused, 130 interrupted. */
export type Failure = Readonly<{ exitCode: number; message: string }>;

/** The exit code of the program, or why there is another one. */
export type Outcome = Result<number, Failure>;

/** With `isCommand`, all after the first word that is no flag belongs to the job. More than `maxWords` are refused. */
export type Verb = Readonly<{
  name: string;
  usage: string;
  summary: string;
  flags: readonly Flag[];
  isCommand?: boolean;
  maxWords?: number;
  examples: readonly string[];
  run: (invocation: Invocation) => Promise<Outcome>;
}>;

export const DONE: Outcome = { ok: true, value: 0 };
