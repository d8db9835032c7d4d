import { parseFuture, parsePast } from "../base/moments.ts";
import { ok, type Result } from "../base/result.ts";
import type { Failure, FlagValues } from "./command.ts";
import { readText } from "./flag-values.ts";
import { failUsage } from "./usage.ts";

type Parse = (text: string, now: number) => number | null;

const createRead =
  (parse: Parse, examples: string) =>
  (flags: FlagValues, name: string, now: number = Date.now() / 1000): Result<number | null, Failure> => {
    const text = readText(flags, name);
    if (text === null) return ok(null);
    const seconds = parse(text.trim(), now);
    return seconds !== null && Number.isFinite(seconds)
      ? ok(seconds)
      : failUsage(`--${name} takes a time such as ${examples}, 2026-12-01 or "2026-12-01 18:30", not "${text}"`);
  };

/** Unix seconds of a time that was; null when the flag is not there. */
export const readPast = createRead(parsePast, "45m, 1h30m, 2d, 18:30");

/** Unix seconds of a time that is to come, or may have been; null when the flag is not there. */
export const readFuture = createRead(parseFuture, "+2h, 18:30");
