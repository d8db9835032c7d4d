import type { JobBatch } from "../../jobs/fields/batches.ts";
import type { HostNeed } from "../../jobs/fields/host-parts.ts";
import type { QueuedJob } from "../../jobs/job.ts";
import { type AgentShare, findShare } from "../agent-share.ts";
import type { GpuNeed } from "../gpu-selection.ts";
import { findBatch, type LimitedBatch } from "../limits/batch-limit.ts";

/** All that a job asks of the machine. */
export type MachineNeed = GpuNeed & HostNeed;

/** With the share of the agent, and with the batch with a limit, whose jobs alone have this need; null where there is none. */
export type SharedNeed = MachineNeed & Readonly<{ share: AgentShare | null; batch?: LimitedBatch | null }>;

type Kind = readonly [vramMib: number | null, minVramMib: number | null, gpuType: string | null];

const listKind = ({ numGpus, vramMib = null, minVramMib = null, gpuType = null }: GpuNeed): readonly Kind[] =>
  numGpus === 0 || (vramMib ?? minVramMib ?? gpuType) === null
    ? []
    : [[vramMib, minVramMib, gpuType?.toLowerCase() ?? null]];

const nameTime = ({ numGpus, timeLimitS = null }: GpuNeed): string =>
  numGpus === 0 || timeLimitS === null ? "" : `@${timeLimitS}`;

const nameHost = ({ cpus = null, memoryMib = null }: HostNeed): string =>
  (cpus ?? memoryMib) === null ? "" : `#${cpus ?? ""},${memoryMib ?? ""}`;

type NamedNeed = MachineNeed & Partial<Pick<SharedNeed, "share" | "batch">>;

const listNeed = (need: NamedNeed): readonly unknown[] => {
  const { numGpus, requestedGpuIdxs, ignoreBlacklist, share = null, avoidedGpuIdxs = [], batch = null } = need;
  const asked = [numGpus, requestedGpuIdxs.toSorted((a, b) => a - b), numGpus > 0 && ignoreBlacklist];
  const kind = listKind(need);
  if (batch !== null) return [...asked, share, avoidedGpuIdxs, kind[0] ?? null, batch];
  if (avoidedGpuIdxs.length > 0 || kind.length > 0) return [...asked, share, avoidedGpuIdxs, ...kind];
  return share === null ? asked : [...asked, share];
};

/** The same text for jobs that ask the same of the machine: of these, those start that come first, and one keeps what is free at most. */
export const nameNeed = (need: NamedNeed): string => JSON.stringify(listNeed(need)) + nameTime(need) + nameHost(need);

/** Of a job, with the share of its agent and the batch with a limit that it is of. */
export const nameNeedOf = (job: MachineNeed & JobBatch & Pick<QueuedJob, "user" | "agent">): string =>
  nameNeed({ ...job, share: findShare(job), batch: findBatch(job) });

type Need = readonly [
  number,
  readonly number[],
  boolean,
  (AgentShare | null)?,
  (readonly number[])?,
  (Kind | null)?,
  LimitedBatch?,
];

const TAIL = /^(?:@([^#]*))?(?:#(\d*),(\d*))?$/;

const parseCount = (text: string): number | null => (text === "" ? null : Number(text));

const parseTail = (tail: string): Pick<MachineNeed, "timeLimitS"> & HostNeed => {
  const [, time, cpus, memory] = TAIL.exec(tail) ?? [];
  return {
    ...(time === undefined ? {} : { timeLimitS: Number(time) }),
    ...(cpus === undefined ? {} : { cpus: parseCount(cpus), memoryMib: parseCount(memory ?? "") }),
  };
};

/** Of what `nameNeed` wrote. */
export const parseNeed = (name: string): SharedNeed => {
  const end = name.lastIndexOf("]") + 1;
  const [numGpus, requestedGpuIdxs, ignoreBlacklist, share = null, avoidedGpuIdxs = [], kind, batch] = JSON.parse(
    name.slice(0, end),
  ) as Need;
  const [vramMib = null, minVramMib = null, gpuType = null] = kind ?? [];
  const gpus = { numGpus, requestedGpuIdxs, ignoreBlacklist, share, avoidedGpuIdxs, vramMib, minVramMib, gpuType };
  const need = { ...gpus, ...parseTail(name.slice(end)) };
  return batch === undefined ? need : { ...need, batch };
};
