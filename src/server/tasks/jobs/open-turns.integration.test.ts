import { expect, test } from "bun:test";
import { createQueued } from "../../../../tests/support/samples.ts";
import { createCpuJob, createHarness } from "../../../../tests/support/tasks.ts";
import { waitUntil } from "../../../../tests/support/wait.ts";

test("a held job is passed over, and starts once it is released", async () => {
  const { add, awaitRound, change, executor, find, start } = createHarness({});
  await add(createQueued("held", { heldBy: "user", numGpus: 0 }), createCpuJob("next", { createdAt: 200 }));
  const tasks = await start();
  await waitUntil(() => find("next").status === "running");
  await awaitRound();
  expect(executor.launches.map(({ id }) => id)).toEqual(["next"]);
  await change("held", { kind: "edit", fields: { heldBy: null } });
  tasks.wakes.queues();
  await waitUntil(() => find("held").status === "running");
});

test("a job starts when its time has come and not before, by itself", async () => {
  const { add, awaitRound, find, setTime, start } = createHarness({});
  await add(createQueued("gpu", { beginAt: 2000 }), createCpuJob("cpu", { beginAt: 2000 }));
  await start();
  await awaitRound();
  setTime(1999);
  await awaitRound();
  expect([find("gpu").status, find("cpu").status]).toEqual(["queued", "queued"]);
  setTime(2000);
  await waitUntil(() => find("gpu").status === "running" && find("cpu").status === "running");
});

test("a job whose time a clock had that was wrong waits for it again once that is set right", async () => {
  const { add, awaitRound, find, setTime, start, store } = createHarness({ settings: { maxCpuJobs: 0 } });
  await add(createCpuJob("a", { beginAt: 2000 }));
  const { wakes } = await start();
  const isAt = (time: number, nextAt: number | null): boolean => {
    wakes.queues();
    return Bun.deepEquals(store.readReadiness(time), { isStale: false, nextAt });
  };
  setTime(3000);
  await waitUntil(() => isAt(3000, null));
  setTime(1000);
  await waitUntil(() => isAt(1000, 2000));
  await awaitRound();
  expect(find("a").status).toBe("queued");
});

test("a job that was held between the decision and its start does not start", async () => {
  const edit = { now: (): void => undefined };
  const { add, awaitRound, change, countRuns, executor, find, start } = createHarness({
    store: (opened) => ({
      write: (write) => {
        edit.now();
        return opened.write(write);
      },
    }),
  });
  await add(createQueued("a"));
  edit.now = () => {
    edit.now = () => undefined;
    void change("a", { kind: "edit", fields: { heldBy: "user" } });
  };
  await start();
  await waitUntil(() => countRuns("queued GPU jobs") > 0);
  await awaitRound();
  expect([find("a").status, executor.launches.length]).toEqual(["queued", 0]);
});
