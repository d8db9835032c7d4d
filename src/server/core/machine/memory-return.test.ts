import { describe, expect, test } from "bun:test";
import { judgeMemory, type MemoryLook, type MemoryState } from "./memory-return.ts";

const QUIET = 0.01;
const BUSY = 0.8;

const listReturns = (looks: readonly MemoryLook[]): readonly boolean[] => {
  let state: MemoryState = { floorMib: 66, isReturned: false };
  return looks.map((look) => {
    state = judgeMemory(state, look);
    return state.isReturned;
  });
};

const look = (rssMib: number, busyShare: number): MemoryLook => ({ rssMib, busyShare });

describe("memory that the server gives back", () => {
  test("none while it is busy, all once it is quiet", () => {
    expect(listReturns([look(66, QUIET), look(190, BUSY), look(150, BUSY), look(110, QUIET)])).toEqual([
      false,
      false,
      false,
      true,
    ]);
  });

  test("not again and again, when it needs what it still holds", () => {
    expect(listReturns([look(66, QUIET), look(110, QUIET), look(78, QUIET), look(80, QUIET), look(79, QUIET)])).toEqual(
      [false, true, false, false, false],
    );
  });

  test("again after the next load", () => {
    expect(
      listReturns([look(66, QUIET), look(110, QUIET), look(78, QUIET), look(170, BUSY), look(120, QUIET)]),
    ).toEqual([false, true, false, false, true]);
  });

  test("measured from the least that it held", () => {
    expect(listReturns([look(60, QUIET), look(72, QUIET)])).toEqual([false, true]);
    expect(listReturns([look(72, QUIET)])).toEqual([false]);
  });

  test("only where there are more than 8 MiB of it", () => {
    expect(listReturns([look(74, QUIET), look(75, QUIET)])).toEqual([false, true]);
  });

  test("not while a twentieth of a core is in use", () => {
    expect([0.04, 0.05, 0.06].map((share) => listReturns([look(110, share)])[0])).toEqual([true, false, false]);
  });

  test("also what the load right after the start took", () => {
    expect(listReturns([look(180, BUSY), look(110, QUIET)])).toEqual([false, true]);
  });

  test("and a load right after it was given back counts for nothing", () => {
    expect(listReturns([look(110, QUIET), look(190, BUSY), look(110, QUIET)])).toEqual([true, false, true]);
  });
});
