import { err, ok, type Result } from "../../../base/result.ts";
import { createRefusal, type Refusal } from "../../core/refusal.ts";

/** Waits for what comes next of a body, of which `receivedBytes` are here: not for ever, when it comes too slowly. */
export type BodyDeadline = Readonly<{
  wait: <Value>(next: Promise<Value>, receivedBytes: number) => Promise<Result<Value, Refusal>>;
}>;

const MS_PER_S = 1000;
const SLOWEST_BYTES_PER_S = 32 * 1024;

const tooSlow = createRefusal("REQUEST_TIMEOUT", "The request's body came too slowly");

/** A body may take `timeoutS` seconds, and more as long as 32 KiB a second come on the average. */
export const startBodyDeadline = (timeoutS: number): BodyDeadline => {
  const startedAt = performance.now();
  const countMsLeft = (receivedBytes: number): number =>
    startedAt + (timeoutS + receivedBytes / SLOWEST_BYTES_PER_S) * MS_PER_S - performance.now();
  return {
    wait: async (next, receivedBytes) => {
      const { promise: late, resolve } = Promise.withResolvers<Result<never, Refusal>>();
      const timer = setTimeout(() => resolve(err(tooSlow)), Math.max(0, countMsLeft(receivedBytes)));
      try {
        return await Promise.race([next.then(ok), late]);
      } finally {
        clearTimeout(timer);
      }
    },
  };
};
