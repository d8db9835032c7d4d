import { formatMib } from "../../../../base/sizes.ts";
import type { Job } from "../../jobs/job.ts";
import type { HostShortage } from "./host-part.ts";
import type { HostHolder, HostTaken } from "./host-wait.ts";

type What = HostShortage["reason"];

const MOST_NAMED = 5;

const tell = (amount: number, what: What): string => (what === "cpus" ? String(amount) : formatMib(amount));

const tellAsked = (amount: number, what: What): string => {
  if (what === "memory") return `${formatMib(amount)} of memory`;
  return amount === 1 ? "1 CPU" : `${amount} CPUs`;
};

const beFor = (amount: number, what: What): string => (what === "cpus" && amount !== 1 ? "are" : "is");

const nameJob = ({ id, user }: Pick<Job, "id" | "user">): string => `job ${id} of ${user}`;

const describeHolder = ({ how, job, amount }: HostHolder, what: What): string => {
  switch (how) {
    case "has":
      return `${nameJob(job)} has ${tell(amount, what)}`;
    case "start":
      return `${nameJob(job)}, which starts before it, gets ${tell(amount, what)}`;
    case "keep":
      return `${tell(amount, what)} ${beFor(amount, what)} kept for ${nameJob(job)}, which others have passed for long`;
  }
};

const describeOthers = (others: readonly HostHolder[], what: What): readonly string[] => {
  if (others.length === 0) return [];
  const amount = others.reduce((sum, one) => sum + one.amount, 0);
  return [`${others.length} more ${others.length === 1 ? "job has" : "jobs have"} ${tell(amount, what)}`];
};

const describeExcess = (reason: What, asked: number, whole: number): string => {
  const isClose = reason === "memory" && formatMib(asked) === formatMib(whole);
  const [needed, all] = isClose
    ? [`${asked} MiB of memory`, `${whole} MiB`]
    : [tellAsked(asked, reason), tell(whole, reason)];
  return `needs ${needed}, and the machine has ${all}`;
};

/** For people: what the job needs, `asked` of all that is to be booked; no full stop. */
export const describeShortage = ({ reason, asked, free, whole }: HostShortage): string =>
  asked > whole
    ? describeExcess(reason, asked, whole)
    : `needs ${tellAsked(asked, reason)}, and ${tell(free, reason)} of ${tell(whole, reason)} ${beFor(free, reason)} free`;

/** Who has it, the first by name. */
export const listHolderTexts = ({ holders, reason }: HostTaken): readonly string[] => [
  ...holders.slice(0, MOST_NAMED).map((one) => describeHolder(one, reason)),
  ...describeOthers(holders.slice(MOST_NAMED), reason),
];
