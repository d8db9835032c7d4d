import type { AskedFields, ToldFields } from "../../../../wire/job-fields/job-fields.ts";
import { takeGiven } from "./take-given.ts";

/** What a job asks of the machine's CPUs and memory, in MiB; null where that was taken away. */
export type HostNeed = Readonly<{ cpus?: number | null; memoryMib?: number | null }>;

export const readHostNeed = ({ cpus, memory_mib: memoryMib }: AskedFields): HostNeed => takeGiven({ cpus, memoryMib });

export const tellHostNeed = ({ cpus = null, memoryMib = null }: HostNeed): Pick<ToldFields, "cpus" | "memory_mib"> => ({
  cpus,
  memory_mib: memoryMib,
});
