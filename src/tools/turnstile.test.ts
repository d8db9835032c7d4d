import { expect, test } from "bun:test";
import { createTurnstile } from "./turnstile.ts";

test("work is done one after the other, and a failure does not stop the next", async () => {
  const takeTurn = createTurnstile();
  const events: string[] = [];
  const work = (name: string, fails: boolean) => async () => {
    events.push(`${name} starts`);
    await Promise.resolve();
    events.push(`${name} ends`);
    if (fails) throw new Error(name);
    return name;
  };
  const outcomes = await Promise.allSettled([takeTurn(work("a", true)), takeTurn(work("b", false))]);
  expect(events).toEqual(["a starts", "a ends", "b starts", "b ends"]);
  expect(outcomes.map(({ status }) => status)).toEqual(["rejected", "fulfilled"]);
});
