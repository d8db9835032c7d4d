import type { ActiveJob, QueuedJob } from "../../jobs/job.ts";
import { findHostLack, type HostPart, readHostPart } from "./host-part.ts";
import type { Allocation, Room } from "./room.ts";

type What = "cpus" | "memory";

/** Who has, or gets before the job, so much of what it lacks. */
export type HostHolder = Readonly<{ how: "has" | Allocation["kind"]; job: ActiveJob | QueuedJob; amount: number }>;

/** What of the machine's CPUs and memory is not free for a job; `reason` is the first of the two, amounts are of it. */
export type HostTaken = Readonly<{
  kind: "host_taken";
  reason: What;
  asked: number;
  free: number;
  whole: number;
  holders: readonly HostHolder[];
}>;

const read = (part: HostPart, what: What): number => (what === "cpus" ? part.cpus : part.memoryMib);

const listHolders = (active: readonly ActiveJob[], { allocations }: Room, what: What): readonly HostHolder[] =>
  [
    ...active.map((job): HostHolder => ({ how: "has", job, amount: read(readHostPart(job), what) })),
    ...allocations.map(({ kind, job, host }): HostHolder => ({ how: kind, job, amount: read(host, what) })),
  ]
    .filter(({ amount }) => amount > 0)
    .toSorted((a, b) => b.amount - a.amount);

/** Who has it, those with most first; null where there is enough. */
export const describeHostTaken = (active: readonly ActiveJob[], room: Room, part: HostPart): HostTaken | null => {
  const { free, rules } = room.host;
  const reason = findHostLack(part, free);
  if (reason === null) return null;
  const figures = { asked: read(part, reason), free: read(free, reason), whole: read(rules.whole, reason) };
  return { kind: "host_taken", reason, ...figures, holders: listHolders(active, room, reason) };
};
