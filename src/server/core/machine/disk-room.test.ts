import { expect, test } from "bun:test";
import fc from "fast-check";
import { chooseMinBytes, describeDiskRoom, isDiskLow, judgeDisk, USUAL_MIN_FREE_GB } from "./disk-room.ts";

const GB = 1e9;

test("what is asked for holds, but the usual 5 GB is not asked for on a disk of less than twice that", () => {
  expect([0, 0.5, 7].map((asked) => chooseMinBytes(asked, GB))).toEqual([0, GB / 2, 7 * GB]);
  expect([10, 9.99].map((total) => chooseMinBytes(USUAL_MIN_FREE_GB, total * GB))).toEqual([5 * GB, 0]);
});

test("a disk is low when less is free than is asked for; one that can't be told is not", () => {
  expect(isDiskLow({ freeBytes: 4, minBytes: 5 })).toBe(true);
  expect(isDiskLow({ freeBytes: 5, minBytes: 5 })).toBe(false);
  expect([isDiskLow({ freeBytes: 0, minBytes: 0 }), isDiskLow(null)]).toEqual([false, false]);
});

test("news of it alternate, begin with the bad, and a little to and fro at the edge is none", () => {
  const tell = (looks: readonly (number | null)[]) => {
    let isSpell = false;
    return looks.flatMap((freeBytes) => {
      const news = judgeDisk(isSpell, freeBytes === null ? null : { freeBytes, minBytes: 10 });
      isSpell = news === null ? isSpell : news === "disk_low";
      return news === null ? [] : [[news, freeBytes] as const];
    });
  };
  fc.assert(
    fc.property(fc.array(fc.option(fc.nat(20)), { maxLength: 60 }), (looks) => {
      const told = tell(looks);
      expect(told.map(([news]) => news)).toEqual(told.map((_, place) => (place % 2 === 0 ? "disk_low" : "disk_room")));
      for (const [news, free] of told) expect(news === "disk_low" ? (free ?? 10) < 10 : (free ?? 0) >= 11).toBe(true);
    }),
  );
  expect(tell([10, 9, 10, 9, 11, 10, 9])).toEqual([
    ["disk_low", 9],
    ["disk_room", 11],
    ["disk_low", 9],
  ]);
});

test("it is told in GB, as the setting is", () => {
  expect(describeDiskRoom({ freeBytes: 123_456_789, minBytes: 5 * GB })).toBe(
    "0.123 GB are free on the disk of the server's folder, and min_free_gb is 5",
  );
});
