import type { Result } from "../base/result.ts";

/** `value` names what the flag takes; without it the flag is a switch. `bare` is the value where none is given. `check`
 * says what a value must be that is not allowed. `many` may be given again and again; of its `choices` several may follow
 * one another. */
export type Flag = Readonly<{
  long: string;
  short?: string;
  value?: string;
  bare?: string | undefined;
  check?: (value: string) => string | null;
  many?: boolean;
  choices?: readonly string[];
  help: string;
}>;

export type FlagValues = Readonly<Record<string, string | boolean | readonly string[] | undefined>>;

/** `command` is what stands after `--`, for a verb that takes one there; `meant` is a line that is more likely than the command. */
export type Invocation = Readonly<{
  flags: FlagValues;
  words: readonly string[];
  command?: readonly string[];
  meant?: string;
}>;

/** `exitCode` is one of the contract: 1 failed, 2 wrong usage, 3 unreachable, 4 refused, 5 no such thing, 6 its state does not allow it, 130 interrupted. */
export type Failure = Readonly<{ exitCode: number; message: string }>;

/** The exit code of the program, or why there is another one. */
export type Outcome = Result<number, Failure>;

/** The name is empty for what a program does without a verb, unless that is one of its verbs. With `isCommand`, all after
 * the first word that is no flag belongs to the job, with `takesCommand` all after `--`. More than `maxWords` are refused. */
export type Verb = Readonly<{
  name: string;
  usage: string;
  summary: string;
  flags: readonly Flag[];
  isCommand?: boolean;
  takesCommand?: boolean;
  maxWords?: number;
  examples: readonly string[];
  run: (invocation: Invocation) => Promise<Outcome>;
}>;

export type VerbModule = Readonly<{ verb: Verb }>;

/** What differs between programs. `flags` are those of every verb, and may stand before it too unless `isVerbFirst`. A verb
 * is loaded only when it is called. */
export type Program = Readonly<{
  name: string;
  summary: string;
  flags: readonly Flag[];
  isVerbFirst?: boolean;
  withoutVerb: () => Promise<VerbModule>;
  verbs: Readonly<Record<string, () => Promise<VerbModule>>>;
  examples: readonly string[];
  note?: string;
}>;

export const DONE: Outcome = { ok: true, value: 0 };
