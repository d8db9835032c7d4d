/** `value` is null where it is not known; `fault` is what stands in its place, if that means that something is wrong. */
export type Figure = Readonly<{ value: number | null; fault: string | null }>;

const NUMBER = /^(-?\d{1,15}(?:\.\d{1,20})?)(?: ?(?:MiB|%|W|C))?$/;
const NOT_THERE = /^\[?(N\/A|Not Supported|Not Available|Insufficient Permissions)\]?$/i;
const MAX_FAULT = 80;

export const parseFigure = (field: string): Figure => {
  const number = NUMBER.exec(field)?.[1];
  if (number !== undefined) return { value: Number(number), fault: null };
  if (NOT_THERE.test(field)) return { value: null, fault: null };
  return { value: null, fault: field.replace(/^\[(.+)\]$/, "$1").slice(0, MAX_FAULT) || "a figure is missing" };
};

/** Whole MiB, never negative. */
export const parseMemory = (field: string): Figure => {
  const { value, fault } = parseFigure(field);
  return { value: value === null ? null : Math.max(0, Math.round(value)), fault };
};
