import { expect, test } from "bun:test";
import { createGpu, createQueued } from "../../../../tests/support/samples.ts";
import { createHarness, toId, wakeAll } from "../../../../tests/support/tasks.ts";
import { waitUntil } from "../../../../tests/support/wait.ts";
import { ok } from "../../../base/result.ts";
import { createVramWatch } from "./watch-vram.ts";

const BOOKED = 4096;

const begin = async (isEnforced: boolean) => {
  let usedMib = 0;
  const users = () => [{ pid: 1, memoryMib: usedMib, jobId: toId("a") }];
  const harness = createHarness({
    gpus: async () => ok([createGpu(0, [1], { users: usedMib === 0 ? [] : users(), memoryUsed: usedMib })]),
    settings: { vramEnforce: isEnforced },
  });
  const fields = { vramMib: BOOKED, notifications: ["discord" as const] };
  await harness.add(createQueued("a", { ...fields, retry: { count: 1, causes: ["oom"] } }), createQueued("b", fields));
  wakeAll(await harness.start());
  await waitUntil(() => ["a", "b"].every((id) => harness.find(id).status === "running"));
  const watch = createVramWatch(harness.context);
  const listTold = (): readonly string[] =>
    harness.store.outbox.listOfJob(toId("a")).map(({ subject }) => subject.event);
  return {
    ...harness,
    watch,
    listTold,
    use: (mib: number) => {
      usedMib = mib;
    },
  };
};

test("a job that has far more than it booked beside another is told once, ended and tried again for want of memory", async () => {
  const { watch, use, find, listTold, executor, context } = await begin(true);
  use(7270);
  expect(await watch()).toBe(10_000);
  expect([find("a").vramPeakMib, listTold().includes("vram_exceeded"), executor.kills]).toEqual([7270, false, []]);
  await watch();
  expect(find("a")).toMatchObject({ halt: { cause: "oom", usedMib: 7270, bookedMib: BOOKED } });
  expect(listTold().filter((event) => event === "vram_exceeded")).toHaveLength(1);
  await waitUntil(() => executor.kills.length > 0);
  executor.place("a", { kind: "lost", reason: "Lost: its session ended" });
  wakeAll(context);
  await waitUntil(() => find("a").status === "queued");
  expect(find("a").past?.attempts).toMatchObject([
    { cause: "oom", reason: "Used 7.1 GiB of GPU memory, booked 4 GiB" },
  ]);
  expect(find("a")).not.toHaveProperty("isOverBooked");
  expect(find("b").status).toBe("running");
});

test("no job is ended where the server does not enforce it", async () => {
  const { watch, use, find } = await begin(false);
  use(7270);
  await watch();
  await watch();
  await watch();
  expect(find("a")).toMatchObject({ status: "running", vramPeakMib: 7270, isOverBooked: true });
  expect(find("a")).not.toHaveProperty("halt");
});
