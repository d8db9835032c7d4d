import { expect, test } from "bun:test";
import { createCpuJob, createHarness, toId, wakeAll } from "../../../../tests/support/tasks.ts";
import { waitUntil } from "../../../../tests/support/wait.ts";
import type { JobId } from "../../core/jobs/job.ts";
import { createInputWatch } from "./watch-input.ts";

const LOOK_EVERY_MS = 30_000;
const REFRESH_S = 5;

const begin = async () => {
  const harness = createHarness({ settings: { refreshRate: REFRESH_S } });
  await harness.add(createCpuJob("a", { notifications: ["discord"] }), createCpuJob("b"));
  wakeAll(await harness.start());
  await waitUntil(() => ["a", "b"].every((id) => harness.find(id).status === "running"));
  const marks = new Map<JobId, string>();
  const watch = createInputWatch(harness.context, async () => marks);
  const listTold = (): readonly string[] =>
    harness.store.outbox.listOfJob(toId("a")).map(({ subject }) => subject.event);
  return { ...harness, marks, watch, listTold };
};

const sinceOf = (job: object): unknown => Reflect.get(job, "inputSince");

test("a job that waits for input for five minutes is told of once, and no longer waits once it is answered", async () => {
  const { find, marks, watch, setTime, listTold } = await begin();
  marks.set(toId("a"), "m");
  expect(await watch()).toBe(LOOK_EVERY_MS);
  setTime(1300);
  expect(await watch()).toBe(REFRESH_S * 1000);
  expect([sinceOf(find("a")), sinceOf(find("b"))]).toEqual([1000, undefined]);
  marks.clear();
  expect(await watch()).toBe(LOOK_EVERY_MS);
  expect(sinceOf(find("a"))).toBeNull();
  marks.set(toId("a"), "n");
  await watch();
  setTime(1700);
  await watch();
  expect(sinceOf(find("a"))).toBe(1300);
  expect(listTold().filter((event) => event === "waits_for_input")).toHaveLength(1);
});

test("nothing is looked at while no job runs", async () => {
  const { context } = createHarness();
  let looks = 0;
  const watch = createInputWatch(context, async () => {
    looks += 1;
    return new Map();
  });
  expect([await watch(), looks]).toEqual([LOOK_EVERY_MS, 0]);
});
