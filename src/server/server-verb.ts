import type { Result } from "../base/result.ts";
import type { Flags } from "./external/settings/load-settings.ts";

/** `isUsage` where the command line is wrong, not what it asks for. */
export type Mistake = Readonly<{ message: string; isUsage?: true }>;

/** `value` names what follows the flag; without it the flag is a switch. */
export type ServerFlag = Readonly<{ name: string; short?: string; value?: string; help: string }>;

export type ServerCall = Readonly<{ flags: Flags; words: readonly string[] }>;

/** `maxWords`, none without it, is how many words it takes beside its flags. `run` resolves to the exit code. */
export type ServerVerb = Readonly<{
  usage: string;
  summary: string;
  flags: readonly ServerFlag[];
  maxWords?: number;
  run: (call: ServerCall) => Promise<Result<number, Mistake>>;
}>;
