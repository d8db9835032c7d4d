import { dlopen, type FFIFunction, type Pointer, read } from "bun:ffi";
import { describeError } from "../../base/describe-error.ts";
import { err, ok, type Problem, type Result } from "../../base/result.ts";

export type LibcPointer = Pointer;

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

/** The number that `__errno_location` leads to, at once after the call that failed. */
export const readErrno = (place: LibcPointer): number => read.i32(place);
