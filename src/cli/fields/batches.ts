import type { JobField } from "./job-field.ts";

const COUNT = /^[1-9]\d{0,8}$/;

export const BATCHES: readonly JobField[] = [
  {
    flag: { long: "max-parallel", value: "N", help: "of several jobs at most N run at once" },
    field: "batch_max",
    isUsual: true,
    waits: true,
    what: "a whole number from 1 on",
    isRight: (text) => COUNT.test(text),
    toFields: ([text]) => ({ batch_max: Number(text) }),
    sbatch: { option: "array", short: "a", convert: (value) => /%([1-9]\d{0,8})$/.exec(value)?.[1] ?? null },
  },
];
