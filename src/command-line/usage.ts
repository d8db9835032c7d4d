import { err, type Problem, type Result } from "../base/result.ts";
import type { Failure } from "./command.ts";

export const FAILED = 1;
const WRONG_USAGE = 2;
export const UNREACHABLE = 3;
export const REFUSED = 4;
export const NO_SUCH_THING = 5;
export const WRONG_STATE = 6;
export const INTERRUPTED = 130;

export const fail = (message: string): Result<never, Failure> => err({ exitCode: FAILED, message });

export const failUsage = (message: string): Result<never, Failure> => err({ exitCode: WRONG_USAGE, message });

export const convertProblem = <Value>(result: Result<Value, Problem>): Result<Value, Failure> =>
  result.ok ? result : fail(result.error.message);
