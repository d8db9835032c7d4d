import type { HostNeed } from "../../jobs/fields/host-parts.ts";
import type { JobRequestError } from "../../jobs/job-request.ts";
import { findHostShortage, type HostRules } from "./host-part.ts";
import { describeShortage } from "./host-text.ts";

const FIELDS = { cpus: "cpus", memory: "memory_mib" } as const;

/** What of CPUs and memory the machine will never have for the job; null where it has all. */
export const findHostMistake = (
  { cpus, memoryMib }: HostNeed,
  { whole }: Pick<HostRules, "whole">,
): JobRequestError | null => {
  const shortage = findHostShortage({ cpus: cpus ?? 0, memoryMib: memoryMib ?? 0 }, whole, whole);
  if (shortage === null) return null;
  const message = `The job ${describeShortage(shortage)} to book`;
  return { field: FIELDS[shortage.reason], message, type: "too_much" };
};
