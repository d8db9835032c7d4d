import { parseFuture } from "../terminal/moment.ts";
import type { JobField } from "./job-field.ts";

const nowSeconds = (): number => Date.now() / 1000;

const isTime = (text: string): boolean => parseFuture(text, nowSeconds()) !== null;

const convertSlurmTime = (value: string): string | null => {
  const [, count, unit] = /^now\+(\d+)([smhd])(?:econds?|inutes?|ours?|ays?)?$/.exec(value) ?? [];
  if (count !== undefined && unit !== undefined) return `+${count}${unit}`;
  return isTime(value) && !value.startsWith("+") ? value : null;
};

export const WAITS: readonly JobField[] = [
  {
    flag: { long: "begin", value: "TIME", help: "not before: 18:30, +2h, 2026-12-01, '2026-12-01 18:30'" },
    field: "begin_at",
    isUsual: false,
    waits: true,
    what: 'a time such as 18:30, +2h, 2026-12-01 or "2026-12-01 18:30"',
    isRight: isTime,
    toFields: ([text = ""]) => ({ begin_at: parseFuture(text, nowSeconds()) }),
    sbatch: { option: "begin", convert: convertSlurmTime },
  },
  {
    flag: { long: "hold", help: "it waits until nx release lets it start" },
    field: "held",
    isUsual: false,
    waits: true,
    what: "a switch",
    isRight: () => true,
    toFields: () => ({ held: true }),
    sbatch: { option: "hold", short: "H", convert: () => true },
  },
];
