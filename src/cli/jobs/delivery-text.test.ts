import { expect, test } from "bun:test";
import { deliverySchema, type WireDelivery } from "../../wire/delivery.ts";
import { describeDeliveries } from "./delivery-text.ts";

const delivered: WireDelivery = {
  channel: "webhook",
  event: "failed",
  state: "delivered",
  attempts: 1,
  uncertain: false,
  created_at: 1_700_000_000,
  next_attempt_at: null,
  finished_at: 1_700_000_001,
  error: null,
  reference: null,
};

const describeOne = (changes: Partial<Record<keyof WireDelivery, unknown>>): string =>
  describeDeliveries([{ ...delivered, ...changes } as WireDelivery]).join("\n");

test("each event has words of its own", () => {
  const words = deliverySchema.shape.event.options.map((event) => describeOne({ event }));
  expect(new Set(words).size).toBe(words.length);
  for (const text of words) expect(text).not.toContain("undefined");
});

test("an event that only a newer server knows is shown under its own name, harmless to a terminal", () => {
  expect(describeOne({ event: "moved" })).toBe("webhook, moved: delivered");
  expect(describeOne({ event: "\u001b[2Jmoved" })).not.toContain("\u001b");
});

test("what became of a message is said, with why where it did not arrive", () => {
  const next_attempt_at = Date.now() / 1000 + 90;
  expect(describeOne({ state: "waiting", attempts: 0 })).toBe("webhook, failed: waits");
  expect(describeOne({ state: "waiting", error: "refused", next_attempt_at })).toMatch(
    /: tried once, again in 1m ?(30|29)s \(refused\)$/,
  );
  expect(describeOne({ state: "waiting", attempts: 3, next_attempt_at: 1 })).toBe(
    "webhook, failed: tried 3 times, again soon (no answer)",
  );
  expect(describeOne({ state: "sending" })).toBe("webhook, failed: being sent");
  expect(describeOne({ state: "dead", error: "410" })).toBe("webhook, failed: given up: 410");
  expect(describeOne({ state: "dead" })).toBe("webhook, failed: given up: no answer");
  expect(describeOne({ uncertain: true })).toContain("delivered, perhaps twice");
  expect(describeOne({ reference: "https://a.example/1" })).toBe("webhook, failed: https://a.example/1");
  expect(describeOne({ reference: "1234" })).toBe("webhook, failed: delivered");
});
