import { expect, test } from "bun:test";
import { createCallsInFlight } from "./calls-in-flight.ts";

const call = (id: number | string) => ({ jsonrpc: "2.0", id, method: "tools/call" });
const cancel = (requestId: unknown) => ({ jsonrpc: "2.0", method: "notifications/cancelled", params: { requestId } });

test("a call is ended by its own session only, by its own id, and no more once it was answered", () => {
  const calls = createCallsInFlight();
  const ended: string[] = [];
  const note = (session: string, body: unknown, name: string) => calls.note(session, body, () => void ended.push(name));
  const forget = note("a", call(1), "a1");
  note("a", [call("1"), call(2)], "a batch");
  note("b", call(1), "b1");
  calls.cancel("c", cancel(1));
  calls.cancel("a", cancel(3));
  expect(ended).toEqual([]);
  calls.cancel("a", [cancel("1"), cancel(1)]);
  expect(ended).toEqual(["a batch", "a1"]);
  forget();
  calls.cancel("a", cancel(1));
  expect(ended).toHaveLength(2);
});

test("what is no message is passed over", () => {
  const calls = createCallsInFlight();
  for (const body of [null, 7, "x", [], [null], {}, cancel(null), cancel({}), { id: 1 }, { method: "ping" }]) {
    expect(() => calls.cancel("a", body)).not.toThrow();
    expect(() => calls.note("a", body, () => undefined)()).not.toThrow();
  }
});

test("an id that is used again is of the later call, whichever is answered first", () => {
  const calls = createCallsInFlight();
  const ended: string[] = [];
  const forgetFirst = calls.note("a", call(1), () => void ended.push("first"));
  const forgetSecond = calls.note("a", call(1), () => void ended.push("second"));
  forgetFirst();
  calls.cancel("a", cancel(1));
  expect(ended).toEqual(["second"]);
  forgetSecond();
  calls.cancel("a", cancel(1));
  expect(ended).toEqual(["second"]);
});
