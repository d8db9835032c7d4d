import { expect, test } from "bun:test";
import fc from "fast-check";
import { type ConnectionEnds, judgeHolder, type SocketEnd, type UidRules } from "./loopback.ts";

const RULES: UidRules = { serverUid: 1001, minUid: 1000, overflowUid: 65_534 };
const NEAR: SocketEnd = { state: 1, uid: 1001, inode: 7 };

const end = (uid: number, state = 1, inode = 8): SocketEnd => ({ state, uid, inode });
const judge = (far: SocketEnd | null, near: SocketEnd | null = NEAR, rules: Partial<UidRules> = {}): number | null =>
  judgeHolder({ far, near }, { ...RULES, ...rules });

const [SYN_SENT, FIN_WAIT_1, FIN_WAIT_2, TIME_WAIT, CLOSE_WAIT, LISTEN] = [2, 4, 5, 6, 8, 10];

test.each<readonly [string, number | null, number | null]>([
  ["root", judge(end(0)), 0],
  ["the server's own user", judge(end(1001)), 1001],
  ["the server's own user, a service", judge(end(107), NEAR, { serverUid: 107 }), 107],
  ["another user", judge(end(1002)), 1002],
  ["the first user", judge(end(1000)), 1000],
  ["a service", judge(end(33)), null],
  ["a service where services begin later", judge(end(1002), NEAR, { minUid: 2000 }), null],
  ["users of other namespaces", judge(end(65_534)), null],
  [
    "users of other namespaces, where the server has that number",
    judge(end(65_534), NEAR, { serverUid: 65_534 }),
    null,
  ],
  [
    "nobody, who is the server's own user, where nobody is of another namespace",
    judge(end(65_534), NEAR, { serverUid: 65_534, overflowUid: null }),
    65_534,
  ],
  ["nobody, where nobody is of another namespace", judge(end(65_534), NEAR, { overflowUid: null }), null],
  ["users of other namespaces by another number", judge(end(4242), NEAR, { overflowUid: 4242 }), null],
  ["the number that is none", judge(end(0xffff_ffff)), null],
  ["who is not there", judge(null), null],
  ["who has closed, of whom the kernel says uid 0", judge(end(0, FIN_WAIT_2, 0)), null],
  ["who has closed and is gone", judge(end(0, TIME_WAIT, 0)), null],
  ["who has half closed", judge(end(0, FIN_WAIT_2)), null],
  ["who is closing", judge(end(0, FIN_WAIT_1)), null],
  ["who has not connected yet", judge(end(0, SYN_SENT)), null],
  ["whom the server has closed", judge(end(0, CLOSE_WAIT)), null],
  ["who only listens", judge(end(0, LISTEN)), null],
  ["who holds nothing", judge(end(0, 1, 0)), null],
  ["whose connection is gone from the server", judge(end(0), null), null],
  ["whose connection the server has not accepted", judge(end(0), { ...NEAR, inode: 0 }), null],
  ["whose connection the server sees closed", judge(end(0), { ...NEAR, state: CLOSE_WAIT }), null],
])("the other end of a connection: %s", (_who, judged, uid) => {
  expect(judged).toBe(uid);
});

test("nobody is told of a connection that is not wholly open at both ends, and never another than the kernel says", () => {
  const anyEnd = fc.option(
    fc.record({
      state: fc.integer({ min: 1, max: 12 }),
      uid: fc.oneof(fc.constantFrom(0, 33, 999, 1000, 1001, 65_534, 65_535), fc.nat(0xffff_ffff)),
      inode: fc.constantFrom(0, 1, 4242),
    }),
  );
  const ends: fc.Arbitrary<ConnectionEnds> = fc.record({ far: anyEnd, near: anyEnd });
  fc.assert(
    fc.property(ends, fc.nat(70_000), fc.nat(2000), (both, serverUid, minUid) => {
      const uid = judgeHolder(both, { serverUid, minUid, overflowUid: 65_534 });
      if (uid === null) return;
      expect([both.far?.uid, both.far?.state, both.near?.state]).toEqual([uid, 1, 1]);
      expect([both.far?.inode, both.near?.inode]).not.toContain(0);
      expect(uid === 0 || uid === serverUid || uid >= minUid).toBe(true);
      expect([65_534, 65_535]).not.toContain(uid);
    }),
    { numRuns: 2000 },
  );
});
