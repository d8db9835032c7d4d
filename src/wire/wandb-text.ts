/** A run as it is told: its page, with what is to be said of it, or that alone; null where no run is known. */
export const describeWandbRun = (page: string | null, note: string | null): string | null => {
  if (page === null) return note;
  return note === null ? page : `${page} (${note})`;
};
