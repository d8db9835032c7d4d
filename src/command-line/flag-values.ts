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
