import type { z } from "zod";
import { err, ok, type Result } from "../../../base/result.ts";
import type { ErrorDetail } from "../../../wire/error.ts";
import { createInvalid, type Place, type Refusal } from "../../core/refusal.ts";
import { refuseOversized } from "./oversized.ts";

type Issue = z.core.$ZodIssue;

const describeIssue = (place: Place, { path, message, code }: Issue): ErrorDetail => ({
  loc: [...place, ...path.map((key) => (typeof key === "number" ? key : String(key)))],
  msg: message,
  type: code,
});

export const validate = <Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
  place: Place,
): Result<z.output<Schema>, Refusal> => {
  const parsed = schema.safeParse(value);
  if (parsed.success) return ok(parsed.data);
  return err(createInvalid(parsed.error.issues.map((issue) => describeIssue(place, issue))));
};

export const validateSized = <Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
  place: Place,
): Result<z.output<Schema>, Refusal> => {
  const size = refuseOversized(value, place);
  return size.ok ? validate(schema, value, place) : size;
};
