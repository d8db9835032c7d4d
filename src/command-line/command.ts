import type { Result } from "../base/result.ts";

/** `value` names what the flag takes, `N` a whole number; without it the flag is a switch. `bare` is the value where none is given,
 * `default` what holds without the flag. `check` says what a value must be that is not allowed. `many` may be given again and again; of its `choices` several may follow
 * one another. */
export type Flag = Readonly<{
  long: string;
  short?: string;
  value?: string;
  bare?: string | undefined;
  default?: string | number;
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

/** `message` says what is wrong, `hint` what to do. `exitCode` is one of `EXIT_CODES`, or a job's own; `code` names the kind where that is known closer. */
export type Failure = Readonly<{ exitCode: number; message: string; hint?: string; code?: string | null }>;

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

/** Words of other programs that mean something here: a verb by what does it, a flag (`--gres`) by the flags of which the first that the
 * verb has is the one, and a flag without a counterpart by what to do instead. */
export type ForeignWords = Readonly<{
  verbs: Readonly<Record<string, string>>;
  flags: Readonly<Record<string, readonly string[]>>;
  absent: Readonly<Record<string, string>>;
}>;

/** `always` is false for a field that may be left out. */
export type FieldShape = Readonly<{ name: string; type: string; always: boolean; about: string | null }>;

export type RowShape = Readonly<{ type: string; fields: readonly FieldShape[] }>;

/** What is shown as JSON for words such as `blacklist list`; of a list, `type` and `fields` are those of each row. `rows` are
 * what `--jsonl` and `--fields` show where it is another. */
export type DocumentShape = RowShape & Readonly<{ words: string; is_list: boolean; rows: RowShape | null }>;

/** What differs between programs. `flags` are those of every verb, and may stand before it too unless `isVerbFirst`. A verb
 * is loaded only when it is called. */
export type Program = Readonly<{
  name: string;
  summary: string;
  flags: readonly Flag[];
  isVerbFirst?: boolean;
  withoutVerb: () => Promise<VerbModule>;
  verbs: Readonly<Record<string, () => Promise<VerbModule>>>;
  foreign?: ForeignWords;
  examples: readonly string[];
  note?: string;
  describeDocuments?: () => Promise<readonly DocumentShape[]>;
}>;

export const DONE: Outcome = { ok: true, value: 0 };
