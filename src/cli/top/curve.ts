import type { WireJobUse } from "../../wire/gpus/job-use.ts";

const BLOCKS = "▁▂▃▄▅▆▇█";
const PLAIN = "_.-:=+*#";
const UNKNOWN = " ";
const WHOLE_PERCENT = 100;

/** Whether a terminal of this locale shows nothing but ASCII; one that says nothing of it is taken to show all. */
export const isPlainLocale = ({ LC_ALL, LC_CTYPE, LANG }: Readonly<Record<string, string | undefined>>): boolean => {
  const locale = LC_ALL || LC_CTYPE || LANG || "";
  return locale !== "" && !/utf-?8/i.test(locale);
};

const chooseLevel = (percent: number | null, levels: string): string => {
  if (percent === null) return UNKNOWN;
  const level = Math.floor((percent / WHOLE_PERCENT) * levels.length);
  return levels[Math.max(0, Math.min(levels.length - 1, level))] ?? UNKNOWN;
};

/** A letter for each figure, in eight levels. */
export const drawCurve = (percents: readonly (number | null)[], isPlain: boolean): string =>
  percents.map((percent) => chooseLevel(percent, isPlain ? PLAIN : BLOCKS)).join("");

/** Of each span the mean of all of its GPUs; null where one is not known. */
export const listPercents = ({ spans }: Pick<WireJobUse, "spans">): readonly (number | null)[] =>
  spans.map(({ gpus }) => {
    const known = gpus.flatMap(({ mean_percent: mean }) => (mean === null ? [] : [mean]));
    if (known.length === 0 || known.length < gpus.length) return null;
    return known.reduce((sum, one) => sum + one, 0) / known.length;
  });
