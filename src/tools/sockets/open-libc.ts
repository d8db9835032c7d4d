import { dlopen, type FFIFunction } from "bun:ffi";
import { describeError } from "../../base/describe-error.ts";
import { err, ok, type Problem, type Result } from "../../base/result.ts";

const LIBRARIES = ["libc.so.6", "libc.so"];

/** Functions of the C library by their names; `Functions` are the types that the definitions say. */
export const openLibc = <Functions>(
  definitions: Readonly<Record<keyof Functions, FFIFunction>>,
): Result<Functions, Problem> => {
  let reason = "";
  for (const name of LIBRARIES) {
    try {
      return ok(dlopen(name, definitions).symbols as Functions);
    } catch (error) {
      reason = describeError(error);
    }
  }
  return err({ message: reason });
};
