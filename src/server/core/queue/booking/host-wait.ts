import type { ActiveJob, QueuedJob } from "../../jobs/job.ts";
import { findHostShortage, type HostPart, type HostShortage, readHostPart } from "./host-part.ts";
import type { Allocation, Room } from "./room.ts";

/** Who has, or gets before the job, so much of what it lacks. */
export type HostHolder = Readonly<{ how: "has" | Allocation["kind"]; job: ActiveJob | QueuedJob; amount: number }>;

/** What of the machine's CPUs and memory is not free for a job, and who has it. */
export type HostTaken = HostShortage & Readonly<{ kind: "host_taken"; holders: readonly HostHolder[] }>;

const read = (part: HostPart, what: HostShortage["reason"]): number => (what === "cpus" ? part.cpus : part.memoryMib);

const listHolders = (
  active: readonly ActiveJob[],
  { allocations }: Room,
  what: HostShortage["reason"],
): readonly HostHolder[] =>
  [
    ...active.map((job): HostHolder => ({ how: "has", job, amount: read(readHostPart(job), what) })),
    ...allocations.map(({ kind, job, host }): HostHolder => ({ how: kind, job, amount: read(host, what) })),
  ]
    .filter(({ amount }) => amount > 0)
    .toSorted((a, b) => b.amount - a.amount);

/** Who has it, those with most first; null where there is enough. */
export const describeHostTaken = (active: readonly ActiveJob[], room: Room, part: HostPart): HostTaken | null => {
  const { free, rules } = room.host;
  const shortage = findHostShortage(part, free, rules.whole);
  if (shortage === null) return null;
  return { kind: "host_taken", ...shortage, holders: listHolders(active, room, shortage.reason) };
};
