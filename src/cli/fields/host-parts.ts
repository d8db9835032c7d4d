import { parseSize, writeSize } from "../../base/sizes.ts";
import { MAX_CPUS, MAX_MEMORY_MIB } from "../../wire/job-fields/host-parts.ts";
import type { JobField } from "./job-field.ts";

const isCount = (text: string): boolean => /^\d{1,5}$/.test(text) && Number(text) > 0 && Number(text) <= MAX_CPUS;

const isSize = (text: string): boolean => {
  const mib = parseSize(text);
  return mib !== null && mib > 0 && mib <= MAX_MEMORY_MIB;
};

const SLURM_SIZE = /^(\d{1,9})([KMGT]?)B?$/i;
const UNITS_MIB: Readonly<Record<string, number>> = { K: 1 / 1024, M: 1, G: 1024, T: 1024 * 1024 };

const convertCount = (value: string): string | null => (isCount(value) ? String(Number(value)) : null);

const convertSize = (value: string): string | null => {
  const [, count, unit = ""] = SLURM_SIZE.exec(value) ?? [];
  if (count === undefined) return null;
  const text = writeSize(Math.ceil(Number(count) * (UNITS_MIB[unit.toUpperCase() || "M"] ?? 0)));
  return isSize(text) ? text : null;
};

const OF_MACHINE = { isUsual: true, waits: false };

export const HOST_PARTS: readonly JobField[] = [
  {
    ...OF_MACHINE,
    flag: { long: "cpus", value: "N", help: "book so many CPUs of the machine" },
    field: "cpus",
    what: "a whole number of CPUs, 1 or more",
    isRight: isCount,
    sbatch: { option: "cpus-per-task", short: "c", convert: convertCount },
    toFields: ([text = ""]) => ({ cpus: Number(text) }),
  },
  {
    ...OF_MACHINE,
    flag: { long: "mem", value: "SIZE", help: "book so much of the machine's memory, such as 16G" },
    field: "memory_mib",
    what: "a size such as 512M or 10G",
    isRight: isSize,
    sbatch: { option: "mem", convert: convertSize },
    toFields: ([text = ""]) => ({ memory_mib: parseSize(text) }),
  },
];
