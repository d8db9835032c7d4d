import { toUnavailableError } from "../../core/refusal.ts";
import { explainFault } from "./sqlite-error.ts";

type Read<Args extends readonly unknown[], Value> = (...args: Args) => Value;

const explain = (error: unknown): unknown => {
  const fault = explainFault(error);
  return fault === null ? error : toUnavailableError(`The database can't be read: ${fault}`);
};

/** A read that fails for the file's sake throws an `Unavailable` that says what is wrong with it. */
export const guardRead =
  <Args extends readonly unknown[], Value>(read: Read<Args, Value>): Read<Args, Value> =>
  (...args) => {
    try {
      return read(...args);
    } catch (error) {
      throw explain(error);
    }
  };

/** Like `guardRead` for what is read in the course of time. */
export const guardPromise = async <Value>(reading: Promise<Value>): Promise<Value> => {
  try {
    return await reading;
  } catch (error) {
    throw explain(error);
  }
};

/** Like `guardRead` for what is read piece by piece. */
export const guardSlices = <Args extends readonly unknown[], Slice>(
  read: Read<Args, AsyncGenerator<Slice, void>>,
): Read<Args, AsyncGenerator<Slice, void>> =>
  async function* (...args) {
    try {
      yield* read(...args);
    } catch (error) {
      throw explain(error);
    }
  };
