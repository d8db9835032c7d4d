import { parsePast } from "../../base/moments.ts";
import { ok, type Result } from "../../base/result.ts";
import type { Failure, FlagValues } from "../../command-line/command.ts";
import { readText } from "../../command-line/flag-values.ts";
import { failUsage } from "../../command-line/usage.ts";

/** Unix seconds; null when the flag is not there. */
export const readPast = (
  flags: FlagValues,
  name: string,
  now: number = Date.now() / 1000,
): Result<number | null, Failure> => {
  const text = readText(flags, name);
  if (text === null) return ok(null);
  const seconds = parsePast(text.trim(), now);
  if (seconds !== null && Number.isFinite(seconds)) return ok(seconds);
  return failUsage(
    `--${name} takes a time such as 45m, 1h30m, 2d, 18:30, 2026-12-01 or "2026-12-01 18:30", not "${text}"`,
  );
};
