import { expect, test } from "bun:test";
import fc from "fast-check";
import { type ClockJump, type ClockLook, describeClockJump, judgeClock } from "./clock-jump.ts";

const at = (wall: number, boot: number): ClockLook => ({ wall, boot });

const follow = (looks: readonly ClockLook[]): ClockJump | null =>
  looks.slice(1).reduce<ClockJump | null>((told, look, index) => judgeClock(told, looks[index] ?? look, look), null);

test("a clock that was set by a minute or more is told of for a day", () => {
  const looks = [at(1000, 50), at(1060, 110), at(4720, 170)];
  expect(follow(looks)).toEqual({ by: 3600, to: at(4720, 170) });
  expect(follow([...looks, at(91_119, 86_569)])?.by).toBe(3600);
  expect(follow([...looks, at(91_120, 86_570)])).toBeNull();
});

test("the last one is told of where it was set again", () => {
  expect(follow([at(1000, 0), at(4600, 0), at(1001, 1)])?.by).toBe(-3600);
});

test("a clock that is slow, fast or slept by less than a minute a look is not told of", () => {
  const step = fc.tuple(fc.nat(100_000), fc.integer({ min: -58, max: 58 }));
  fc.assert(
    fc.property(fc.array(step), (steps) => {
      let look = at(1e9, 1000);
      const looks = steps.map(([passed, off]) => {
        look = at(look.wall + passed + off, look.boot + passed);
        return look;
      });
      expect(follow(looks)).toBeNull();
    }),
  );
});

test("what is said has the way, by how much, to when and what to do", () => {
  expect(describeClockJump({ by: -7199, to: at(1_767_225_600, 1) })).toBe(
    "the machine's clock was set back by 120 min, to 2026-01-01 00:00 UTC: times of jobs, and how long anything is kept, are off by that; see that NTP keeps it (timedatectl)",
  );
});
