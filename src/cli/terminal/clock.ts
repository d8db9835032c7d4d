const DATE_AND_MINUTE = 16;
const HOUR_S = 3600;
const MINUTES = 60;

/** In UTC, to the minute; a dash where there is none. */
export const formatClock = (seconds: number | null): string =>
  seconds === null ? "-" : new Date(seconds * 1000).toISOString().slice(0, DATE_AND_MINUTE).replace("T", " ");

const pad = (figure: number, length = 2): string => String(figure).padStart(length, "0");

const formatDate = (date: Date): string =>
  `${pad(date.getFullYear(), 4)}-${pad(date.getMonth() + 1)}-${pad(date.getDate())}`;

const formatMinute = (date: Date): string => `${pad(date.getHours())}:${pad(date.getMinutes())}`;

const formatSecond = (date: Date): string => `${formatMinute(date)}:${pad(date.getSeconds())}`;

const formatZone = (date: Date): string => {
  const ahead = -date.getTimezoneOffset();
  if (ahead === 0) return "UTC";
  const minutes = Math.abs(ahead) % MINUTES;
  return `UTC${ahead < 0 ? "-" : "+"}${Math.floor(Math.abs(ahead) / MINUTES)}${minutes === 0 ? "" : `:${pad(minutes)}`}`;
};

/** In the time zone of who looks: within the last hour to the second, without the date; a dash where there is none. */
export const formatRecent = (seconds: number | null, now: number): string => {
  if (seconds === null) return "-";
  const date = new Date(seconds * 1000);
  return Math.abs(now - seconds) < HOUR_S ? formatSecond(date) : `${formatDate(date)} ${formatMinute(date)}`;
};

/** In the time zone of who looks, which it names; a dash where there is none. */
export const formatMoment = (seconds: number | null): string => {
  if (seconds === null) return "-";
  const date = new Date(seconds * 1000);
  return `${formatDate(date)} ${formatSecond(date)} ${formatZone(date)}`;
};

/** `UTC+1`, or more than one where the clock was put forward or back between these times; without a time the one of now. */
export const nameZones = (times: readonly (number | null)[], now: number): string => {
  const known = times.filter((seconds) => seconds !== null);
  const zones = (known.length === 0 ? [now] : known).map((seconds) => formatZone(new Date(seconds * 1000)));
  return [...new Set(zones)].join(", ");
};
