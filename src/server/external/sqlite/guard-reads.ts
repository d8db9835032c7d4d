import { toUnavailableError } from "../../core/unavailable.ts";
import { explainFault } from "./sqlite-error.ts";

type Read<Args extends readonly unknown[], Value> = (...args: Args) => Value;

/** A read that fails for the file's sake throws an `Unavailable` that says what is wrong with it. */
export const guardRead =
  <Args extends readonly unknown[], Value>(read: Read<Args, Value>): Read<Args, Value> =>
  (...args) => {
    try {
      return read(...args);
    } catch (error) {
      const fault = explainFault(error);
      throw fault === null ? error : toUnavailableError(`The database can't be read: ${fault}`);
    }
  };
