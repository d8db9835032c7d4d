const DATE_AND_MINUTE = 16;

/** In UTC, to the minute; a dash where there is none. */
export const formatClock = (seconds: number | null): string =>
  seconds === null ? "-" : new Date(seconds * 1000).toISOString().slice(0, DATE_AND_MINUTE).replace("T", " ");
