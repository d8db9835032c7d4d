import { expect, test } from "bun:test";
import { createCpuJob, createHarness, handleOf, toId } from "../../../../tests/support/tasks.ts";
import { createLogWatch } from "./watch-logs.ts";

const begin = async () => {
  let size: number | null = 0;
  let now = 1000;
  const harness = createHarness({ measureLog: async () => size });
  const fields = { maxSilenceS: 60, notifications: ["discord" as const] };
  await harness.add(createCpuJob("a", fields), createCpuJob("b"));
  for (const id of ["a", "b"]) {
    await harness.change(id, { kind: "start", at: 1000, gpuIdxs: [], dir: "/" });
    await harness.change(id, { kind: "launch", handle: handleOf(id) });
  }
  const watch = createLogWatch(harness.context);
  const look = async (to: number | null, times = 1, stepS = 10): Promise<void> => {
    size = to;
    for (let count = 0; count < times; count += 1) {
      now += stepS;
      harness.setTime(now);
      expect(await watch()).toBe(10_000);
    }
  };
  const listTold = (): readonly string[] =>
    harness.store.outbox.listOfJob(toId("a")).map(({ subject }) => subject.event);
  return { ...harness, look, listTold };
};

test("a job whose log does not grow is told of once, and ended at its limit, and no other", async () => {
  const { look, find, listTold } = await begin();
  await look(5, 3);
  expect(listTold()).not.toContain("log_silent");
  await look(5, 2);
  expect(listTold().filter((event) => event === "log_silent")).toHaveLength(1);
  expect(find("a")).toMatchObject({ toldStalls: { silence: { forS: 30, limitS: 60 } } });
  await look(5);
  expect(find("a")).not.toHaveProperty("halt");
  await look(5, 2);
  expect(find("a")).toMatchObject({ halt: { cause: "silence", limitS: 60 } });
  expect(listTold().filter((event) => event === "log_silent")).toHaveLength(1);
  expect(find("b")).not.toHaveProperty("halt");
});

test("a log that grows, that is not there or at which nobody looked begins the time anew", async () => {
  const { look, find } = await begin();
  for (const size of [1, 2, null, 2]) await look(size, 5);
  await look(2, 1, 31);
  await look(2, 5);
  expect(find("a")).not.toHaveProperty("halt");
  await look(2);
  expect(find("a")).toMatchObject({ halt: { cause: "silence" } });
});
