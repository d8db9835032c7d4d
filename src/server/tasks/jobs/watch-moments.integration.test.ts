import { expect, test } from "bun:test";
import { createQueued } from "../../../../tests/support/samples.ts";
import { createHarness, must } from "../../../../tests/support/tasks.ts";
import { waitUntil } from "../../../../tests/support/wait.ts";
import type { Alarm } from "../../../tools/alarm.ts";
import type { Reservation } from "../../core/queue/reservations/reservation.ts";
import type { Store } from "../../core/store.ts";
import { createMomentWatch } from "./watch-moments.ts";

const RULES = { reserveRules: { maxReserved: 1, marginS: 100 } };

const SILENT: Alarm = { ring: () => undefined, wait: async () => undefined };

const insert = async (store: Store, changes: Partial<Reservation> = {}): Promise<void> => {
  const one = { id: "r", user: "ann", gpuIdxs: [0, 1], from: 2000, until: 3000, why: null, ...changes };
  must(await store.write((transaction) => transaction.insertReservation(one)));
};

test("the queue is looked at when a reservation comes near, begins and ends, and again where the clock is set back", async () => {
  const { context, setTime, store } = createHarness({ settings: { ...RULES, refreshRate: 5000 } });
  let rings = 0;
  const watch = createMomentWatch(context, { cpuQueue: SILENT, gpuQueue: { ...SILENT, ring: () => rings++ } });
  await insert(store);
  const seen: (readonly [at: number, rings: number, inMs: number])[] = [];
  for (const at of [1000, 1899, 1900, 1999, 2000, 2999, 3000, 2500]) {
    setTime(at);
    const inMs = await watch();
    seen.push([at, rings, inMs]);
  }
  expect(seen).toEqual([
    [1000, 0, 900_000],
    [1899, 0, 1000],
    [1900, 1, 100_000],
    [1999, 1, 1000],
    [2000, 2, 1_000_000],
    [2999, 2, 1000],
    [3000, 3, 5_000_000],
    [2500, 4, 500_000],
  ]);
});

test("it comes back at the usual time at the latest, and removes from the disk what is over for a day", async () => {
  const { context, setTime, store } = createHarness({ settings: { ...RULES, refreshRate: 2 } });
  const watch = createMomentWatch(context, { cpuQueue: SILENT, gpuQueue: SILENT });
  await insert(store);
  expect(await watch()).toBe(2000);
  for (const [at, left] of [
    [3000 + 86_399, 1],
    [3000 + 86_400, 0],
  ] as const) {
    setTime(at);
    await watch();
    expect(store.listReservations().length).toBe(left);
  }
});

test("while GPUs are reserved only jobs of that user start there, and the others once that is over", async () => {
  const { add, awaitRound, find, setTime, start, store } = createHarness({ settings: RULES });
  await insert(store, { from: 500, gpuIdxs: [1] });
  await insert(store, { id: "other", user: "cid", from: 500, gpuIdxs: [0] });
  await add(createQueued("bobs", { user: "bob" }), createQueued("anns", { user: "ann", createdAt: 200 }));
  const { wakes } = await start();
  await waitUntil(() => find("anns").status === "running");
  await awaitRound();
  expect(find("anns")).toMatchObject({ gpuIdxs: [1] });
  expect(find("bobs").status).toBe("queued");
  setTime(3000);
  wakes.queues();
  await waitUntil(() => find("bobs").status === "running");
  expect(find("bobs")).toMatchObject({ gpuIdxs: [0] });
});

test("a GPU that is reserved between the decision and the start is not given away", async () => {
  const reserve = { now: (): void => undefined };
  const { add, awaitRound, executor, find, start, store } = createHarness({
    settings: RULES,
    store: (opened) => ({
      write: (write) => {
        reserve.now();
        return opened.write(write);
      },
    }),
  });
  await add(createQueued("bobs", { user: "bob" }));
  reserve.now = () => {
    reserve.now = () => undefined;
    void insert(store, { from: 500 });
  };
  await start();
  await waitUntil(() => store.listReservations().length === 1);
  await awaitRound();
  expect([find("bobs").status, executor.launches.length]).toEqual(["queued", 0]);
});

test("the queues are looked at when a drain ends", async () => {
  const { context, setTime, store } = createHarness({ settings: { refreshRate: 5000 } });
  const rings: string[] = [];
  const note = (name: string): Alarm => ({ ...SILENT, ring: () => void rings.push(name) });
  const watch = createMomentWatch(context, { cpuQueue: note("cpu"), gpuQueue: note("gpu") });
  const last = { why: null, since: 900, until: 2000, by: "ann" };
  must(await store.write((transaction) => transaction.saveDrains({ last, past: [] })));
  expect([await watch(), rings]).toEqual([1_000_000, []]);
  setTime(2000);
  expect([await watch(), rings]).toEqual([5_000_000, ["cpu", "gpu"]]);
});
