import { err, ok, type Problem, type Result } from "../../../base/result.ts";

const SECONDS: Readonly<Record<string, number>> = { m: 60, h: 3600, d: 86_400, w: 604_800 };
const SPAN = /^(\d{1,6})([mhdw])$/;
const DAY = /^\d{4}-\d\d-\d\d$/;
const MOMENT = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d)?(Z|[+-]\d\d:\d\d)$/;
const SECONDS_A_DAY = 86_400;

const ALLOWED = "30d, 12h, 90m, 2w, a day as 2027-01-31 (its end, UTC) or a moment as 2027-01-31T12:00Z";

const parseMoment = (text: string): number => {
  if (!DAY.test(text)) return MOMENT.test(text) ? Date.parse(text) / 1000 : Number.NaN;
  const start = Date.parse(`${text}T00:00Z`);
  const isReal = !Number.isNaN(start) && new Date(start).toISOString().startsWith(text);
  return isReal ? start / 1000 + SECONDS_A_DAY : Number.NaN;
};

const parseTime = (text: string, now: number): number => {
  const [, count = "", unit = ""] = SPAN.exec(text) ?? [];
  const seconds = SECONDS[unit];
  return seconds === undefined ? parseMoment(text) : now + Number(count) * seconds;
};

/** Unix seconds at which what expires after or on `text` does so. */
export const parseExpiry = (text: string, now: number): Result<number, Problem> => {
  const time = parseTime(text, now);
  if (Number.isNaN(time)) return err({ message: `${JSON.stringify(text)} is no time to expire: it may be ${ALLOWED}` });
  return time > now ? ok(time) : err({ message: `${JSON.stringify(text)} is past: nobody could use the token` });
};
