import { err, ok, type Result } from "../../../base/result.ts";
import type { ErrorDetail } from "../../../wire/error.ts";
import { createInvalid, type Place, type Refusal } from "../../core/refusal.ts";

const MAX_ENTRIES = 10_000;
const COLLECTIONS = ["env", "gpu_idxs", "integrations", "notifications"] as const;

const countEntries = (value: unknown): number => {
  if (Array.isArray(value)) return value.length;
  return typeof value === "object" && value !== null ? Object.keys(value).length : 0;
};

const readField = (request: unknown, field: string): unknown =>
  typeof request === "object" && request !== null ? Reflect.get(request, field) : undefined;

const describeOversized = (place: Place, field: string, count: number): ErrorDetail => ({
  loc: [...place, field],
  msg: `${count} entries are too many; up to ${MAX_ENTRIES} are taken`,
  type: "too_big",
});

/** Keeps validation from going through, and complaining about, millions of entries. */
export const refuseOversized = (request: unknown, place: Place): Result<void, Refusal> => {
  for (const field of COLLECTIONS) {
    const count = countEntries(readField(request, field));
    if (count > MAX_ENTRIES) return err(createInvalid([describeOversized(place, field, count)]));
  }
  return ok(undefined);
};
