import { expect, test } from "bun:test";
import { createAlarm } from "./alarm.ts";

const HOUR_MS = 3_600_000;

const isOver = async (waiting: Promise<void>): Promise<boolean> => {
  const notYet = new Promise<boolean>((resolve) => setImmediate(() => resolve(false)));
  return Promise.race([waiting.then(() => true), notYet]);
};

test("a wait ends after its time", async () => {
  await createAlarm().wait(1);
});

test("a ring ends the wait at once", async () => {
  const alarm = createAlarm();
  const waiting = alarm.wait(HOUR_MS);
  expect(await isOver(waiting)).toBe(false);
  alarm.ring();
  await waiting;
});

test("a ring before the wait is not lost, and any number of them end one wait", async () => {
  const alarm = createAlarm();
  alarm.ring();
  alarm.ring();
  await alarm.wait(HOUR_MS);
  const next = alarm.wait(HOUR_MS);
  expect(await isOver(next)).toBe(false);
  alarm.ring();
  await next;
});

test("a ring after the wait has timed out ends the next one", async () => {
  const alarm = createAlarm();
  await alarm.wait(1);
  alarm.ring();
  await alarm.wait(HOUR_MS);
});
