import type { z } from "zod";
import type { ErrorDetail } from "../../shared/error.ts";
import { err, ok, type Result } from "../../shared/result.ts";
import type { Failure } from "./error-response.ts";

type Issue = z.core.$ZodIssue;
/** Where a value stands, as the first steps of the way to a mistake: `["body", 3]` is the fourth item of the body. */
export type Place = ErrorDetail["loc"];

const MAX_DETAILS = 100;

const describeIssue = (place: Place, { path, message, code }: Issue): ErrorDetail => ({
  loc: [...place, ...path.map((key) => (typeof key === "number" ? key : String(key)))],
  msg: message,
  type: code,
});

const summarize = (detail: readonly ErrorDetail[]): string => {
  const [first] = detail;
  if (first === undefined) return "The request is not valid";
  const others = detail.length - 1;
  const where = first.loc.slice(1).join(".");
  return `${where === "" ? "" : `${where}: `}${first.msg}${others === 0 ? "" : ` (and ${others} more)`}`;
};

export const createInvalid = (detail: readonly ErrorDetail[]): Failure => ({
  code: "VALIDATION_ERROR",
  message: summarize(detail),
  detail: detail.slice(0, MAX_DETAILS),
});

export const validate = <Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
  place: Place,
): Result<z.output<Schema>, Failure> => {
  const parsed = schema.safeParse(value);
  if (parsed.success) return ok(parsed.data);
  return err(createInvalid(parsed.error.issues.map((issue) => describeIssue(place, issue))));
};
