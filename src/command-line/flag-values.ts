import { ok, type Result } from "../base/result.ts";
import type { Failure, FlagValues } from "./command.ts";
import { failUsage } from "./usage.ts";

export const readSwitch = (flags: FlagValues, name: string): boolean => flags[name] === true;

export const readText = (flags: FlagValues, name: string): string | null => {
  const value = flags[name];
  return typeof value === "string" ? value : null;
};

export const readList = (flags: FlagValues, name: string): readonly string[] => {
  const value = flags[name];
  return Array.isArray(value) ? value : [];
};

const UNIT_MS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

const parseDurationMs = (text: string): number | null => {
  const [, count, unit = "s"] = /^(\d+(?:\.\d+)?)([smhd]?)$/.exec(text) ?? [];
  return count === undefined ? null : Number(count) * (UNIT_MS[unit || "s"] ?? 0);
};

/** For a flag's `check`. */
export const checkDuration = (value: string): string | null =>
  parseDurationMs(value) === null ? "be a time, such as 30s, 10m, 2h or 1d" : null;

/** In milliseconds; null when the flag is not there. */
export const readDuration = (flags: FlagValues, name: string): number | null => {
  const text = readText(flags, name);
  return text === null ? null : parseDurationMs(text);
};

/** Null when the flag is not there. */
export const readWhole = (
  flags: FlagValues,
  name: string,
  range: Readonly<{ min: number; max: number }>,
): Result<number | null, Failure> => {
  const text = readText(flags, name);
  if (text === null) return ok(null);
  const value = /^-?\d+$/.test(text) ? Number(text) : Number.NaN;
  if (value >= range.min && value <= range.max) return ok(value);
  return failUsage(`--${name} takes a whole number from ${range.min} to ${range.max}, not "${text}"`);
};
