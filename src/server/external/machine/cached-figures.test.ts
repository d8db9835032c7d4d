import { describe, expect, test } from "bun:test";
import { cacheFigures } from "./cached-figures.ts";

const createProbe = () => {
  const pending: PromiseWithResolvers<number>[] = [];
  let now = 1000;
  const read = cacheFigures({
    measure: () => {
      const next = Promise.withResolvers<number>();
      pending.push(next);
      return next.promise;
    },
    clock: () => now,
    maxAgeS: 60,
    answerWithinMs: 20,
  });
  const finish = (index: number, figure: number): void => pending[index]?.resolve(figure);
  const fail = (index: number): void => pending[index]?.reject(new Error("no such disk"));
  const pass = (seconds: number): void => {
    now += seconds;
  };
  return { read, finish, fail, pass, countMeasurements: (): number => pending.length };
};

const measureFirst = async (probe: ReturnType<typeof createProbe>): Promise<void> => {
  const reading = probe.read(false);
  probe.finish(0, 1);
  expect(await reading).toBe(1);
};

describe("cacheFigures", () => {
  test("answers from the cache until it is too old", async () => {
    const probe = createProbe();
    await measureFirst(probe);
    probe.pass(59);
    expect(await probe.read(false)).toBe(1);
    expect(probe.countMeasurements()).toBe(1);
    probe.pass(1);
    const reading = probe.read(false);
    probe.finish(1, 2);
    expect(await reading).toBe(2);
  });

  test("measures anew when asked to", async () => {
    const probe = createProbe();
    await measureFirst(probe);
    const reading = probe.read(true);
    probe.finish(1, 2);
    expect(await reading).toBe(2);
  });

  test("readers at the same time share one measurement", async () => {
    const probe = createProbe();
    const readings = Promise.all([probe.read(true), probe.read(false), probe.read(true)]);
    probe.finish(0, 7);
    expect(await readings).toEqual([7, 7, 7]);
    expect(probe.countMeasurements()).toBe(1);
  });

  test("a slow measurement is answered with null at first, and serves later readers", async () => {
    const probe = createProbe();
    expect(await probe.read(false)).toBeNull();
    probe.finish(0, 3);
    expect(await probe.read(false)).toBe(3);
    expect(probe.countMeasurements()).toBe(1);
  });

  test("a slow measurement is answered with the last figures", async () => {
    const probe = createProbe();
    await measureFirst(probe);
    expect(await probe.read(true)).toBe(1);
  });

  test("a failed measurement is null, and is tried again", async () => {
    const probe = createProbe();
    const failing = probe.read(false);
    probe.fail(0);
    expect(await failing).toBeNull();
    const reading = probe.read(false);
    probe.finish(1, 4);
    expect(await reading).toBe(4);
  });
});
