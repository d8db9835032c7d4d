import { expect, test } from "bun:test";
import { createGpu, createQueued } from "../../../../tests/support/samples.ts";
import { createCpuJob, createHarness, wakeAll } from "../../../../tests/support/tasks.ts";
import { waitUntil } from "../../../../tests/support/wait.ts";
import { ok } from "../../../base/result.ts";
import { nameLimitedOf } from "../../core/queue/patience/limit-spells.ts";
import { createLimitsOf } from "../../core/queue/user-limits.ts";

const wide = createQueued("wide", { user: "bob", numGpus: 2, createdAt: 1000 });

const createLimited = () =>
  createHarness({
    gpus: async () => ok([createGpu(0), createGpu(1)]),
    settings: { limitsOf: createLimitsOf({ users: [{ name: "bob", maxRunning: 1 }] }) },
  });

test("the time over a limit is on disk from its begin to its end, also on a machine that is full", async () => {
  const { add, awaitRound, context, executor, find, setTime, start, store } = createLimited();
  await add(createQueued("a0"), createQueued("a1"), createCpuJob("b", { user: "bob" }));
  await start();
  await waitUntil(() => ["a0", "a1", "b"].every((id) => find(id).status === "running"));
  setTime(1100);
  await add(wide);
  await awaitRound();
  expect(store.readLimited()).toEqual({ [nameLimitedOf(wide)]: { since: 1100, past: [] } });
  setTime(1500);
  executor.end("b", 0);
  await waitUntil(() => {
    wakeAll(context);
    return store.readLimited()[nameLimitedOf(wide)]?.since === null;
  });
  expect(store.readLimited()).toEqual({ [nameLimitedOf(wide)]: { since: null, past: [{ from: 1100, to: 1500 }] } });
  expect(find("wide").status).toBe("queued");
});

test("nothing is written while nothing changes", async () => {
  const { add, awaitRound, find, setTime, start, store } = createLimited();
  await add(createCpuJob("b", { user: "bob" }), createCpuJob("c", { user: "bob" }), wide);
  await start();
  await waitUntil(() => find("b").status === "running");
  await awaitRound();
  const [version, limited] = [store.readVersion(), store.readLimited()];
  expect(Object.values(limited).map(({ since }) => since)).toEqual([1000, 1000]);
  setTime(5000);
  await awaitRound();
  await awaitRound();
  expect([store.readVersion(), store.readLimited()]).toEqual([version, limited]);
});

test("a job starts behind one that was over a limit as long as it was passed for less than max_passed_over without that", async () => {
  const { add, awaitRound, context, executor, find, setTime, start } = createLimited();
  await add(createQueued("a0"), createCpuJob("b", { user: "bob" }));
  await start();
  await waitUntil(() => ["a0", "b"].every((id) => find(id).status === "running"));
  await add(wide);
  await awaitRound();
  setTime(9000);
  executor.end("b", 0);
  await waitUntil(() => find("b").status === "completed");
  await awaitRound();
  const startsAt = async (id: string, time: number): Promise<boolean> => {
    setTime(time);
    await add(createQueued(id, { createdAt: time }));
    await awaitRound();
    return find(id).status === "running";
  };
  expect(await startsAt("small", 10_700)).toBe(true);
  executor.end("small", 0);
  await waitUntil(() => {
    wakeAll(context);
    return find("small").status === "completed";
  });
  expect(await startsAt("later", 10_900)).toBe(false);
});
