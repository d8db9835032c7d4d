import { afterEach, beforeEach, expect, test } from "bun:test";
import fc from "fast-check";
import { parseFuture, parsePast } from "../../base/moments.ts";
import { readPast } from "../../command-line/read-moment.ts";
import { formatMoment, formatRecent, nameZones } from "./clock.ts";

const { TZ } = process.env;
const setZone = (zone: string | undefined): void => {
  process.env.TZ = zone ?? "Etc/UTC";
};

beforeEach(() => setZone("Europe/Berlin"));
afterEach(() => setZone(TZ));

const at = (text: string): number => Date.parse(text) / 1000;
const NOW = at("2026-12-02T14:20:30Z");

test.each([
  ["2d", "2026-11-30T14:20:30Z"],
  ["1w", "2026-11-25T14:20:30Z"],
  ["1h30m", "2026-12-02T12:50:30Z"],
  ["45s", "2026-12-02T14:19:45Z"],
  ["now", "2026-12-02T14:20:30Z"],
  ["today", "2026-12-01T23:00:00Z"],
  ["yesterday", "2026-11-30T23:00:00Z"],
  ["15:00", "2026-12-02T14:00:00Z"],
  ["15:20:30", "2026-12-02T14:20:30Z"],
  ["18:30", "2026-12-01T17:30:00Z"],
  ["2026-12-01", "2026-11-30T23:00:00Z"],
  ["2026-12-01 18:30", "2026-12-01T17:30:00Z"],
  ["2026-7-1 08:00", "2026-07-01T06:00:00Z"],
  ["2026-12-01T18:30:15", "2026-12-01T17:30:15Z"],
  ["2026-12-01T18:30:15Z", "2026-12-01T18:30:15Z"],
  ["2026-12-01T18:30:15+05:30", "2026-12-01T13:00:15Z"],
  ["2026-12-01 18:30-0800", "2026-12-02T02:30:00Z"],
])("%j is a time in the zone of who types it", (text, moment) => {
  expect(parsePast(text, NOW)).toBe(at(moment));
});

test.each([
  "",
  "2",
  "30",
  "d",
  "2d4",
  "2 d",
  "-2d",
  "24:00",
  "7:60",
  "2026-02-30",
  "2026-13-01",
  "2026-12-01 25:00",
  "tomorrow",
  "constructor",
])("%j is no time, and is told in one line that says what is", (text) => {
  expect(parsePast(text, NOW)).toBeNull();
  const read = readPast({ since: text }, "since", NOW);
  expect(read).toMatchObject({
    ok: false,
    error: { exitCode: 2, message: expect.stringContaining("--since takes a time such as") },
  });
});

test("whatever is typed is a time or is none, never a fault", () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[0-9:dhmsTZ+ -]{1,25}$/)), (text) => {
      const seconds = parsePast(text, NOW);
      expect(seconds === null || Number.isFinite(seconds)).toBe(true);
    }),
  );
});

test("a time within the last hour is shown to the second, an earlier one to the minute, in the zone of who looks", () => {
  expect(formatRecent(NOW - 3599, NOW)).toBe("14:20:31");
  expect(formatRecent(NOW - 3600, NOW)).toBe("2026-12-02 14:20");
  expect(formatRecent(at("2026-07-01T22:30:00Z"), NOW)).toBe("2026-07-02 00:30");
  expect(formatRecent(null, NOW)).toBe("-");
});

test("the zones of times are named, both where the clock was put back between them", () => {
  expect(nameZones([NOW], NOW)).toBe("UTC+1");
  expect(nameZones([at("2026-07-01T12:00:00Z"), null, NOW, NOW], NOW)).toBe("UTC+2, UTC+1");
  expect(nameZones([], NOW)).toBe("UTC+1");
  expect(formatMoment(NOW)).toBe("2026-12-02 15:20:30 UTC+1");
  setZone("Asia/Kolkata");
  expect(formatMoment(NOW)).toBe("2026-12-02 19:50:30 UTC+5:30");
  setZone("America/St_Johns");
  expect(formatMoment(NOW)).toBe("2026-12-02 10:50:30 UTC-3:30");
  setZone("Etc/UTC");
  expect(formatMoment(NOW)).toBe("2026-12-02 14:20:30 UTC");
});

test.each([
  ["+2h", "2026-12-02T16:20:30Z"],
  ["+1h30m", "2026-12-02T15:50:30Z"],
  ["now", "2026-12-02T14:20:30Z"],
  ["18:30", "2026-12-02T17:30:00Z"],
  ["15:00", "2026-12-03T14:00:00Z"],
  ["15:20:30", "2026-12-03T14:20:30Z"],
  ["2026-12-01", "2026-11-30T23:00:00Z"],
  ["2027-07-01", "2027-06-30T22:00:00Z"],
  ["2026-12-31 18:30", "2026-12-31T17:30:00Z"],
  ["2026-12-31T18:30:15+05:30", "2026-12-31T13:00:15Z"],
])("%j is a time to come in the zone of who types it, the next one where no day is said", (text, moment) => {
  expect(parseFuture(text, NOW)).toBe(at(moment));
});

test.each(["", "2h", "+", "+5", "25:00", "2026-02-30", "tomorrow", "18:30 ", "-2h"])(
  "%j is no time to come",
  (text) => {
    expect(parseFuture(text, NOW)).toBeNull();
  },
);

test("a time from now on is in whole seconds, and not before it", () => {
  expect(parseFuture("+2h", 1_700_000_000.25)).toBe(1_700_007_201);
});

test("the next time of the day is never more than a day away, also where clocks are changed", () => {
  const clock = fc.tuple(fc.nat(23), fc.nat(59)).map(([hour, minute]) => `${hour}:${String(minute).padStart(2, "0")}`);
  fc.assert(
    fc.property(clock, fc.integer({ min: 1_700_000_000, max: 1_900_000_000 }), (text, now) => {
      const seconds = (parseFuture(text, now) ?? 0) - now;
      expect(seconds > 0 && seconds <= 25 * 3600).toBe(true);
    }),
  );
});
