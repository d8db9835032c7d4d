import { parseFuture } from "../../base/moments.ts";
import type { JobField } from "./job-field.ts";

const JOB_ID = /^[a-z0-9-]{1,64}$/;

const nowSeconds = (): number => Date.now() / 1000;

const isTime = (text: string): boolean => parseFuture(text, nowSeconds()) !== null;

const convertSlurmTime = (value: string): string | null => {
  const [, count, unit] = /^now\+(\d+)([smhd])(?:econds?|inutes?|ours?|ays?)?$/.exec(value) ?? [];
  if (count !== undefined && unit !== undefined) return `+${count}${unit}`;
  return isTime(value) && !value.startsWith("+") ? value : null;
};

const splitIds = (text: string): readonly string[] => {
  const parts = text.split(",");
  return parts.every((part) => JOB_ID.test(part)) ? parts : [text];
};

const listWords = (texts: readonly string[]): string[] => texts.flatMap(splitIds);

const isWord = (text: string): boolean => text !== "";

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
  {
    flag: { long: "after", value: "JOB", many: true, help: "once it has completed; fails with it" },
    field: "after",
    isUsual: false,
    waits: true,
    what: "@BATCH, an id, a name or a regular expression",
    isRight: isWord,
    toFields: (texts) => ({ after: listWords(texts) }),
  },
  {
    flag: { long: "after-any", value: "JOB", many: true, help: "once it has ended, however it ended" },
    field: "after_any",
    isUsual: false,
    waits: true,
    what: "@BATCH, an id, a name or a regular expression",
    isRight: isWord,
    toFields: (texts) => ({ after_any: listWords(texts) }),
  },
  {
    flag: { long: "no-passing", help: "keep GPUs for it from its submission" },
    field: "no_passing",
    isUsual: true,
    waits: true,
    what: "a switch",
    isRight: () => true,
    toFields: () => ({ no_passing: true }),
  },
];
