import { expect, onTestFinished, test } from "bun:test";
import { waitUntil } from "../../../tests/support/wait.ts";
import { createAlarm } from "../../tools/alarm.ts";
import type { Log } from "../core/telemetry/log.ts";
import { createMeter } from "../external/telemetry/meter.ts";
import { startTask, type Task } from "./task.ts";

const HOUR_MS = 3_600_000;

const start = (
  run: () => Promise<number>,
  retryMs = HOUR_MS,
): Readonly<{ task: Task & Readonly<{ wake: () => void }>; errors: unknown[] }> => {
  const errors: unknown[] = [];
  const log: Log = {
    debug: () => undefined,
    info: () => undefined,
    warn: () => undefined,
    error: (...line) => void errors.push(line),
  };
  const alarm = createAlarm();
  const task = startTask({ name: "test", log, meter: createMeter(), retryMs, run, alarm });
  onTestFinished(() => task.stop());
  return { task: { ...task, wake: alarm.ring }, errors };
};

test("a task runs at once, again after the time that it asks for, and whenever it is woken", async () => {
  let runs = 0;
  const { task } = start(async () => {
    runs += 1;
    return runs < 3 ? 1 : HOUR_MS;
  });
  await waitUntil(() => runs === 3);
  task.wake();
  await waitUntil(() => runs === 4);
});

test("a wake during a run makes one more run, after it", async () => {
  let runs = 0;
  const gate = Promise.withResolvers<void>();
  const { task } = start(async () => {
    runs += 1;
    if (runs === 1) await gate.promise;
    return HOUR_MS;
  });
  task.wake();
  task.wake();
  expect(runs).toBe(1);
  gate.resolve();
  await waitUntil(() => runs === 2);
});

test.each([
  ["rejects", async () => Promise.reject(new Error("broken"))],
  [
    "throws at once",
    () => {
      throw new Error("broken");
    },
  ],
] as const)("a task that %s is logged by name and goes on", async (_name, fail) => {
  let runs = 0;
  const { errors } = start(() => {
    runs += 1;
    return runs < 3 ? fail() : Promise.resolve(HOUR_MS);
  }, 1);
  await waitUntil(() => runs === 3);
  expect(errors).toHaveLength(2);
  expect(errors[0]).toEqual(["task failed", { task: "test", message: expect.stringContaining("broken") }]);
});

test("a stop waits for the run that is under way, and none follows", async () => {
  let runs = 0;
  let isDone = false;
  const gate = Promise.withResolvers<void>();
  const { task } = start(async () => {
    runs += 1;
    await gate.promise;
    isDone = true;
    return 0;
  });
  const stopped = task.stop();
  task.wake();
  gate.resolve();
  await stopped;
  expect({ isDone, runs }).toEqual({ isDone: true, runs: 1 });
});

test("a run counts as failed only if it failed", async () => {
  const outcomes: boolean[] = [];
  const alarm = createAlarm();
  const ignore = (): void => undefined;
  const task = startTask({
    ...{ name: "test", log: { debug: ignore, info: ignore, warn: ignore, error: ignore }, retryMs: 1, alarm },
    meter: { observeTask: (_task, _seconds, isFailed) => void outcomes.push(isFailed) },
    run: async () => {
      if (outcomes.length === 1) throw new Error("broken");
      return outcomes.length < 2 ? 1 : HOUR_MS;
    },
  });
  onTestFinished(() => task.stop());
  await waitUntil(() => outcomes.length === 3);
  expect(outcomes).toEqual([false, true, false]);
});
