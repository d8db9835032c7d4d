import type { HostNeed } from "../../jobs/fields/host-parts.ts";
import type { JobRequestError } from "../../jobs/job-request.ts";
import { findHostLack, type HostRules } from "./host-part.ts";
import { describeShortage } from "./host-text.ts";

const FIELDS = { cpus: "cpus", memory: "memory_mib" } as const;

/** What of CPUs and memory the machine will never have for the job; null where it has all. */
export const findHostMistake = (
  { cpus, memoryMib }: HostNeed,
  { whole }: Pick<HostRules, "whole">,
): JobRequestError | null => {
  const asked = { cpus: cpus ?? 0, memoryMib: memoryMib ?? 0 };
  const reason = findHostLack(asked, whole);
  if (reason === null) return null;
  const figures = reason === "cpus" ? [asked.cpus, whole.cpus] : [asked.memoryMib, whole.memoryMib];
  const [most = 0, all = 0] = figures;
  const message = `The job ${describeShortage({ reason, asked: most, free: all, whole: all })} to book`;
  return { field: FIELDS[reason], message, type: "too_much" };
};
