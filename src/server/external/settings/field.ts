import type { z } from "zod";
import { err, ok, type Result } from "../../../base/result.ts";

/**
 * A value of a configuration. The schema's description says, after "must", what is allowed. Without a `fallback` it is
 * needed; `otherwise` is the fallback in words. `flag` names the value of the flag that it has, too, and `bare` is that value
 * where none is given. `isPublic` is what only sounds like a secret.
 */
export type Field<Value> = Readonly<{
  schema: z.ZodType<NonNullable<Value>>;
  about: string;
  fallback?: Value;
  otherwise?: string;
  flag?: string;
  bare?: string;
  isPublic?: true;
}>;

export type Fields<Values> = Readonly<{ [Name in keyof Values]: Field<Values[Name]> }>;

/** A value that its field can't have. */
export type WrongValue = Readonly<{ name: string; value: unknown; allowed: string }>;

export type Raw = Readonly<Record<string, unknown>>;

export const listFields = (fields: Fields<Raw>): readonly (Field<unknown> & Readonly<{ name: string }>)[] =>
  Object.entries(fields).map(([name, field]) => ({ ...field, name }));

export const describeAllowed = ({ schema }: Field<unknown>): string => schema.description ?? "";

const isNothing = (value: unknown): boolean => value === null || (Array.isArray(value) && value.length === 0);

export const describeFallback = ({ fallback, otherwise }: Field<unknown>): string =>
  otherwise ?? (isNothing(fallback) ? "none" : String(fallback));

const readField = (field: Field<unknown>, value: unknown): Result<unknown, string> => {
  if (value === undefined && field.fallback !== undefined) return ok(field.fallback);
  const parsed = field.schema.safeParse(value);
  return parsed.success ? ok(parsed.data) : err(describeAllowed(field));
};

/** Keys that no field has are passed over; the first wrong value is told. */
export const readFields = <Values extends Raw>(fields: Fields<Values>, raw: Raw): Result<Values, WrongValue> => {
  const values: Record<string, unknown> = {};
  for (const { name, ...field } of listFields(fields)) {
    const read = readField(field, raw[name]);
    if (!read.ok) return err({ name, value: raw[name], allowed: read.error });
    values[name] = read.value;
  }
  return ok(values as Values);
};
