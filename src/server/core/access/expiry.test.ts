import { expect, test } from "bun:test";
import { parseExpiry } from "./expiry.ts";

const NOW = Date.parse("2026-11-24T12:00Z") / 1000;

test.each([
  ["30d", "2026-12-24T12:00:00Z"],
  ["12h", "2026-11-25T00:00:00Z"],
  ["90m", "2026-11-24T13:30:00Z"],
  ["2w", "2026-12-08T12:00:00Z"],
  ["2026-11-24", "2026-11-25T00:00:00Z"],
  ["2027-01-31", "2027-02-01T00:00:00Z"],
  ["2027-01-31T12:00Z", "2027-01-31T12:00:00Z"],
  ["2027-01-31T12:00:30+02:00", "2027-01-31T10:00:30Z"],
])("%s after noon of 24 November is %s", (text, moment) => {
  expect(parseExpiry(text, NOW)).toEqual({ ok: true, value: Date.parse(moment) / 1000 });
});

test.each(["", "30", "d", "-1d", "1y", "soon", "2027-13-01", "2027-02-30", "31.01.2027", "2027-01-31T12:00", " 3d"])(
  "%p is refused with what is allowed",
  (text) => {
    expect(parseExpiry(text, NOW)).toMatchObject({
      ok: false,
      error: { message: expect.stringContaining("30d, 12h") },
    });
  },
);

test.each(["0d", "2026-11-23", "2026-11-24T11:59Z"])("%p is past", (text) => {
  expect(parseExpiry(text, NOW)).toMatchObject({ ok: false, error: { message: expect.stringContaining("past") } });
});
