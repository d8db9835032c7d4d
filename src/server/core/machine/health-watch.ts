/** What people were last told, and since when the machine has been otherwise; times in seconds. */
export type Watch = Readonly<{ toldUnhealthy: boolean; otherwiseSince: number | null }>;

export type HealthNews = "unhealthy" | "recovered";

const HOLD_S = 300;

export const FIRST_WATCH: Watch = { toldUnhealthy: false, otherwiseSince: null };

/** News once the machine has been otherwise than was last told for five minutes on end, so that a busy moment is none. */
export const watchHealth = (
  watch: Watch,
  isUnhealthy: boolean,
  now: number,
): Readonly<{ watch: Watch; news: HealthNews | null }> => {
  if (isUnhealthy === watch.toldUnhealthy) return { watch: { ...watch, otherwiseSince: null }, news: null };
  const since = watch.otherwiseSince ?? now;
  if (now - since < HOLD_S) return { watch: { ...watch, otherwiseSince: since }, news: null };
  const news = isUnhealthy ? "unhealthy" : "recovered";
  return { watch: { toldUnhealthy: isUnhealthy, otherwiseSince: null }, news };
};
