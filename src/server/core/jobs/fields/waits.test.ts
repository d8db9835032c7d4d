import { expect, test } from "bun:test";
import fc from "fast-check";
import { createQueued } from "../../../../../tests/support/samples.ts";
import { accountWait, findWaitsSince, isBlocked, keepHold, readWaits, refuseRelease } from "./waits.ts";

const USER = { isAdmin: false };
const ADMIN = { isAdmin: true };

test("a job is held by who asks for it, and released by null or false", () => {
  expect(readWaits({ held: true }, USER)).toEqual({ heldBy: "user" });
  expect(readWaits({ held: true }, ADMIN)).toEqual({ heldBy: "admin" });
  expect([readWaits({ held: false }, USER), readWaits({ held: null }, ADMIN)]).toEqual([
    { heldBy: null },
    { heldBy: null },
  ]);
  expect(readWaits({}, USER)).toEqual({});
});

test("only an admin releases what an admin held, and its owner's hold does not make it the owner's", () => {
  const job = createQueued("a", { heldBy: "admin" });
  expect(refuseRelease(job, { heldBy: null }, USER)).toMatchObject({ code: "FORBIDDEN" });
  expect(refuseRelease(job, { heldBy: null }, ADMIN)).toBeNull();
  expect(refuseRelease(job, { beginAt: 3 }, USER)).toBeNull();
  expect(refuseRelease(createQueued("a", { heldBy: "user" }), { heldBy: null }, USER)).toBeNull();
  expect(keepHold(job, { heldBy: "user", beginAt: 3 })).toEqual({ heldBy: "admin", beginAt: 3 });
  expect(keepHold(createQueued("a", { heldBy: "user" }), { heldBy: "admin" })).toEqual({ heldBy: "admin" });
});

test("whatever is held and released when, a job has waited just as long as it was not held", () => {
  const spans = fc.array(fc.record({ held: fc.boolean(), lasts: fc.nat(1000) }), { maxLength: 9 });
  fc.assert(
    fc.property(spans, (given) => {
      let job = accountWait(createQueued("a", { createdAt: 100 }), 100);
      let now = 100;
      for (const { held, lasts } of given) {
        job = accountWait({ ...job, heldBy: held ? ("user" as const) : null }, now);
        now += lasts;
      }
      job = accountWait({ ...job, heldBy: null }, now);
      const waited = given.reduce((sum, { held, lasts }) => (held ? sum : sum + lasts), 0);
      expect(now - findWaitsSince(job)).toBe(waited);
    }),
  );
});

test("whatever is held, and however its beginning is moved, a job has waited just as long as nothing kept it", () => {
  const start = { job: createQueued("a", { createdAt: 5000 }), now: 5000, waited: 0 };
  const spans = fc.array(
    fc.record({ isHeld: fc.boolean(), beginInS: fc.integer({ min: -500, max: 1500 }), lasts: fc.nat(1000) }),
    { maxLength: 9 },
  );
  fc.assert(
    fc.property(spans, (given) => {
      const { job, now, waited } = given.reduce(
        ({ job: before, now: at, waited: sum }, { isHeld, beginInS, lasts }) => {
          const beginAt = at + beginInS;
          const after = accountWait({ ...before, heldBy: isHeld ? "user" : null, beginAt }, at, before);
          const counted = isHeld ? 0 : Math.max(0, at + lasts - Math.max(at, beginAt));
          return { job: after, now: at + lasts, waited: sum + counted };
        },
        start,
      );
      const released = accountWait({ ...job, heldBy: null }, now, job);
      expect(Math.max(now, job.beginAt ?? 0) - findWaitsSince(released)).toBe(waited);
    }),
  );
});

test("a job that is tried again waits anew", () => {
  const before = createQueued("a", { createdAt: 100, uncountedS: 50 });
  const after = { ...before, past: { attempts: [], retryAt: 700, dir: "", hasWork: false, messages: {} } };
  expect(findWaitsSince(accountWait(after, 690, before))).toBe(700);
});

test("no time before its beginning counts", () => {
  expect(findWaitsSince(createQueued("a", { createdAt: 100, beginAt: 250 }))).toBe(250);
  expect(findWaitsSince(createQueued("a", { createdAt: 100, beginAt: 50 }))).toBe(100);
});

test("a clock that is set back while it is held takes nothing from what it has waited", () => {
  const held = accountWait(createQueued("a", { createdAt: 100, heldBy: "user" }), 200);
  expect(findWaitsSince(accountWait({ ...held, heldBy: null }, 150))).toBe(100);
});

test("a job of which nothing is to be noted stays the same", () => {
  const job = createQueued("a");
  expect(accountWait(job, 200)).toBe(job);
  expect([isBlocked(job), isBlocked({ heldBy: "user" })]).toEqual([false, true]);
});
