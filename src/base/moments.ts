import { parseDuration } from "./durations.ts";

const AGO = /^(?:(\d{1,5})w)?(?:(\d{1,5})d)?(?:(\d{1,6})h)?(?:(\d{1,7})m)?(?:(\d{1,9})s)?$/;
const UNITS_S = [604_800, 86_400, 3600, 60, 1];
const DATE = /^(\d{4})-(\d\d?)-(\d\d?)(?:[T ](\d\d?:\d\d(?::\d\d)?)(Z|[+-]\d\d:?\d\d)?)?$/;
const TIME = /^(\d\d?):(\d\d)(?::(\d\d))?$/;
const DAY_S = 86_400;

/** In UTC, to the second. */
export const tellMoment = (seconds: number): string =>
  new Date(Math.ceil(seconds) * 1000).toISOString().replace(".000", "");

type Clock = Readonly<{ hour: number; minute: number; second: number }>;
type Day = Readonly<{ year: number; month: number; day: number }>;

const MIDNIGHT: Clock = { hour: 0, minute: 0, second: 0 };

const readAgo = (text: string, now: number): number | null => {
  const parts = text === "" ? null : AGO.exec(text);
  if (parts === null) return null;
  return now - UNITS_S.reduce((sum, unit, index) => sum + unit * Number(parts[index + 1] ?? 0), 0);
};

const readClock = (text: string): Clock | null => {
  const parts = TIME.exec(text);
  if (parts === null) return null;
  const [hour = 0, minute = 0, second = 0] = parts.slice(1).map((part) => Number(part ?? 0));
  return hour < 24 && minute < 60 && second < 60 ? { hour, minute, second } : null;
};

const readLocal = ({ year, month, day }: Day, { hour, minute, second }: Clock): number =>
  new Date(year, month - 1, day, hour, minute, second).getTime() / 1000;

const isDay = ({ year, month, day }: Day): boolean => {
  const date = new Date(Date.UTC(year, month - 1, day));
  return date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
};

const readZoned = (day: Day, { hour, minute, second }: Clock, zone: string): number => {
  const [, sign, hours = "0", minutes = "0"] = /^([+-])(\d\d):?(\d\d)$/.exec(zone) ?? [];
  const ahead = (sign === "-" ? -1 : 1) * (Number(hours) * 60 + Number(minutes));
  return Date.UTC(day.year, day.month - 1, day.day, hour, minute - ahead, second) / 1000;
};

const readDate = (text: string): number | null => {
  const [, year, month, date, time, zone] = DATE.exec(text) ?? [];
  if (year === undefined) return null;
  const day = { year: Number(year), month: Number(month), day: Number(date) };
  const clock = time === undefined ? MIDNIGHT : readClock(time);
  if (clock === null || !isDay(day)) return null;
  return zone === undefined ? readLocal(day, clock) : readZoned(day, clock, zone);
};

const toDay = (seconds: number): Day => {
  const date = new Date(seconds * 1000);
  return { year: date.getFullYear(), month: date.getMonth() + 1, day: date.getDate() };
};

const readTimeOfDay = (text: string, now: number): number | null => {
  const clock = readClock(text);
  if (clock === null) return null;
  const today = readLocal(toDay(now), clock);
  return today <= now ? today : readLocal(toDay(now - DAY_S), clock);
};

const readNextTimeOfDay = (text: string, now: number): number | null => {
  const clock = readClock(text);
  if (clock === null) return null;
  const today = toDay(now);
  const at = readLocal(today, clock);
  return at > now ? at : readLocal({ ...today, day: today.day + 1 }, clock);
};

const readFromNow = (text: string, now: number): number | null => {
  const seconds = text.startsWith("+") ? parseDuration(text.slice(1)) : null;
  return seconds === null ? null : Math.ceil(now + seconds);
};

/** Unix seconds of a time that is to come, or that may have been: `+2h` (in whole seconds), `18:30` (the next one), `now`, `2026-12-01`, with a time of the day and a zone or without; null for anything else. */
export const parseFuture = (text: string, now: number): number | null =>
  text === "now" ? now : (readFromNow(text, now) ?? readNextTimeOfDay(text, now) ?? readDate(text));

const WORDS: ReadonlyMap<string, (now: number) => number> = new Map([
  ["now", (now) => now],
  ["today", (now) => readLocal(toDay(now), MIDNIGHT)],
  ["yesterday", (now) => readLocal({ ...toDay(now), day: toDay(now).day - 1 }, MIDNIGHT)],
]);

/** Unix seconds of a time that was: `2d`, `1h30m`, `18:30` (the last one), `2026-12-01`, with a time of the day and a zone or without; null for anything else. */
export const parsePast = (text: string, now: number): number | null =>
  WORDS.get(text)?.(now) ?? readAgo(text, now) ?? readTimeOfDay(text, now) ?? readDate(text);
