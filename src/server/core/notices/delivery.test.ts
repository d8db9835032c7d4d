import { describe, expect, test } from "bun:test";
import { err, ok } from "../../../base/result.ts";
import type { JobId } from "../jobs/job.ts";
import type { DeliveryError } from "./courier.ts";
import {
  chooseRetryDelay,
  decideOutcome,
  FREE_LANE,
  findNextWait,
  isFree,
  selectReady,
  updateLane,
} from "./delivery.ts";
import type { OutboxMessage } from "./outbox.ts";

const createMessage = (id: number, fields: Partial<OutboxMessage> = {}): OutboxMessage => ({
  id,
  subject: { kind: "job", event: "started", jobId: "a" as JobId },
  channel: "discord",
  destination: `to ${id}`,
  state: "pending",
  attempts: 0,
  isUncertain: false,
  createdAt: 0,
  dueAt: 0,
  finishedAt: null,
  error: null,
  reference: null,
  ...fields,
});

const fail = (error: Partial<DeliveryError> = {}): ReturnType<typeof err<DeliveryError>> =>
  err({ message: "no", isFinal: false, isUncertain: false, retryAfterS: null, ...error });

const idsOf = (messages: readonly OutboxMessage[]): readonly number[] => messages.map(({ id }) => id);

describe("the delay before another attempt", () => {
  test("doubles up to a quarter of an hour, and is spread over its second half", () => {
    expect([1, 2, 3, 4, 10, 11, 50].map((failures) => chooseRetryDelay(failures, null, 1))).toEqual([
      1, 2, 4, 8, 512, 900, 900,
    ]);
    expect(chooseRetryDelay(4, null, 0)).toBe(4);
  });

  test("is never less than what the service asks for", () => {
    expect(chooseRetryDelay(1, 3600, 0)).toBe(3600);
    expect(chooseRetryDelay(20, 0.3, 0)).toBe(0.3);
  });
});

describe("an attempt", () => {
  test.each([
    ["that arrived is over", ok({ reference: "7" }), { kind: "delivered", at: 10, reference: "7" }],
    ["that is refused for good is over too", fail({ isFinal: true }), { kind: "dead", at: 10, error: "no" }],
    ["that failed is repeated later", fail(), { kind: "retry", dueAt: 11, error: "no", isUncertain: false }],
    ["is not repeated when it would be too late", fail({ retryAfterS: 90_000 }), { kind: "dead", at: 10, error: "no" }],
  ] as const)("%s", (_name, answer, outcome) => {
    expect(decideOutcome({ message: createMessage(1), answer, now: 10, uptime: 0, random: 1 })).toEqual(outcome);
  });

  test("of a call is not repeated an hour later", () => {
    const answer = fail({ retryAfterS: 3700 });
    const message = createMessage(1, { channel: "phone" });
    expect(decideOutcome({ message, answer, now: 0, uptime: 0, random: 0 }).kind).toBe("dead");
  });
});

describe("a destination", () => {
  test("is left alone for longer with each failure in a row, and for a moment when something arrives", () => {
    const attempt = { message: createMessage(1), now: 5000, random: 1 };
    const once = updateLane(FREE_LANE, { ...attempt, answer: fail(), uptime: 0 });
    const twice = updateLane(once, { ...attempt, answer: fail(), uptime: 100 });
    expect([once, twice]).toEqual([
      { failures: 1, pausedUntil: 1 },
      { failures: 2, pausedUntil: 102 },
    ]);
    for (const answer of [ok({ reference: null }), fail({ isFinal: true })]) {
      expect(updateLane(twice, { ...attempt, answer, uptime: 200 })).toEqual({ failures: 0, pausedUntil: 200.5 });
    }
  });

  test("is free when it neither fails nor was served a moment ago", () => {
    expect(isFree(FREE_LANE, 0)).toBe(true);
    expect(isFree({ failures: 0, pausedUntil: 5 }, 4.9)).toBe(false);
    expect(isFree({ failures: 0, pausedUntil: 5 }, 5)).toBe(true);
    expect(isFree({ failures: 1, pausedUntil: 5 }, 6)).toBe(false);
  });

  test("gets one message at a time, when it is due and not left alone", () => {
    const heads = [createMessage(1), createMessage(2), createMessage(3, { dueAt: 1009 }), createMessage(4)];
    const lanes = new Map([["to 4", { failures: 1, pausedUntil: 7 }]]);
    const sending = [createMessage(11, { destination: "to 2" })];
    expect(idsOf(selectReady(heads, { lanes, sending, now: 1005, uptime: 5 }))).toEqual([1]);
    expect(findNextWait(heads, { lanes, sending, now: 1005, uptime: 5 })).toBe(2);
    expect(idsOf(selectReady(heads, { lanes, sending: [], now: 1009, uptime: 9 }))).toEqual([1, 2, 3, 4]);
    expect(findNextWait(heads, { lanes, sending: [], now: 1009, uptime: 9 })).toBeNull();
  });

  test("of one channel can't take the places of another", () => {
    const many = Array.from({ length: 20 }, (_, id) => createMessage(id));
    const call = createMessage(99, { channel: "phone" });
    expect(idsOf(selectReady([...many, call], { lanes: new Map(), sending: [], now: 0, uptime: 0 }))).toEqual([
      0, 1, 2, 3, 4, 5, 6, 7, 99,
    ]);
  });
});
