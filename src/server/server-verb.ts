import type { Result } from "../shared/result.ts";
import type { Flags } from "./load-settings.ts";

export type Mistake = Readonly<{ message: string }>;

/** `value` names what follows the flag; without it the flag is a switch. */
export type ServerFlag = Readonly<{ name: string; short?: string; value?: string; help: string }>;

export type ServerCall = Readonly<{ flags: Flags; word: string | undefined }>;

/** `run` resolves to the exit code. */
export type ServerVerb = Readonly<{
  usage: string;
  summary: string;
  flags: readonly ServerFlag[];
  takesWord?: boolean;
  run: (call: ServerCall) => Promise<Result<number, Mistake>>;
}>;
