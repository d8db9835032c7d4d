import type { Alarm } from "../../tools/alarm.ts";
import type { Log } from "../core/telemetry/log.ts";
import type { Meter } from "../core/telemetry/meter.ts";

export type Task = Readonly<{ stop: () => Promise<void> }>;

/** `run` returns after how many milliseconds it wants to run again; who rings `alarm` makes that now. */
export type TaskPlan = Readonly<{
  name: string;
  log: Log;
  meter: Pick<Meter, "observeTask">;
  retryMs: number;
  run: () => Promise<number>;
  alarm: Alarm;
}>;

const REST_FACTOR = 3;
const SHORT_RUN_MS = 2;
const LONGEST_REST_MS = 100;

type Attempt = Readonly<{ delayMs: number; isFailed: boolean }>;

const attempt = async ({ name, log, retryMs, run }: TaskPlan): Promise<Attempt> => {
  try {
    return { delayMs: await run(), isFailed: false };
  } catch (error) {
    log.error("task failed", {
      task: name,
      message: error instanceof Error ? (error.stack ?? error.message) : String(error),
    });
    return { delayMs: retryMs, isFailed: true };
  }
};

const restAfter = (runMs: number): Promise<void> =>
  runMs < SHORT_RUN_MS
    ? Promise.resolve()
    : new Promise((resolve) => setTimeout(resolve, Math.min(runMs * REST_FACTOR, LONGEST_REST_MS)));

/** Runs again and again until stopped; one that fails is logged and tried again, and a busy one leaves others room. */
export const startTask = (plan: TaskPlan): Task => {
  const { alarm } = plan;
  let isStopped = false;

  const repeat = async (): Promise<void> => {
    while (!isStopped) {
      const startedAt = performance.now();
      const { delayMs, isFailed } = await attempt(plan);
      const runMs = performance.now() - startedAt;
      plan.meter.observeTask(plan.name, runMs / 1000, isFailed);
      if (isStopped) return;
      await restAfter(runMs);
      await alarm.wait(delayMs);
    }
  };

  const finished = repeat();
  const stop = (): Promise<void> => {
    isStopped = true;
    alarm.ring();
    return finished;
  };
  return { stop };
};
