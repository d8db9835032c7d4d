import type { HostNeed } from "../../jobs/fields/host-parts.ts";
import type { AgentShare } from "../agent-share.ts";
import type { GpuNeed } from "../gpu-selection.ts";

/** All that a job asks of the machine. */
export type MachineNeed = GpuNeed & HostNeed;

/** With the share of the agent whose jobs alone have this need, null where it is no agent's. */
export type SharedNeed = MachineNeed & Readonly<{ share: AgentShare | null }>;

type Kind = readonly [vramMib: number | null, minVramMib: number | null, gpuType: string | null];
type Host = readonly [cpus: number | null, memoryMib: number | null];

const NO_KIND: Kind = [null, null, null];

const readKind = ({ numGpus, vramMib = null, minVramMib = null, gpuType = null }: GpuNeed): Kind | null =>
  numGpus === 0 || (vramMib ?? minVramMib ?? gpuType) === null
    ? null
    : [vramMib, minVramMib, gpuType?.toLowerCase() ?? null];

const listHost = ({ cpus = null, memoryMib = null }: HostNeed): readonly Host[] =>
  (cpus ?? memoryMib) === null ? [] : [[cpus, memoryMib]];

const listKinds = (need: MachineNeed): readonly (Kind | Host)[] => {
  const [kind, host] = [readKind(need), listHost(need)];
  return kind === null && host.length === 0 ? [] : [kind ?? NO_KIND, ...host];
};

/** The same text for jobs that ask the same of the machine: of these, those start that come first, and one keeps what is free at most. */
export const nameNeed = (need: MachineNeed & Partial<Pick<SharedNeed, "share">>): string => {
  const { numGpus, requestedGpuIdxs, ignoreBlacklist, share = null, avoidedGpuIdxs = [] } = need;
  const asked = [numGpus, requestedGpuIdxs.toSorted((a, b) => a - b), numGpus > 0 && ignoreBlacklist];
  const kinds = listKinds(need);
  if (avoidedGpuIdxs.length > 0 || kinds.length > 0) return JSON.stringify([...asked, share, avoidedGpuIdxs, ...kinds]);
  return JSON.stringify(share === null ? asked : [...asked, share]);
};

type Need = readonly [number, readonly number[], boolean, (AgentShare | null)?, (readonly number[])?, Kind?, Host?];

/** Of what `nameNeed` wrote. */
export const parseNeed = (name: string): SharedNeed => {
  const [numGpus, requestedGpuIdxs, ignoreBlacklist, ...rest] = JSON.parse(name) as Need;
  const [share = null, avoidedGpuIdxs = [], kind = NO_KIND, host] = rest;
  const [vramMib, minVramMib, gpuType] = kind;
  const gpus = { numGpus, requestedGpuIdxs, ignoreBlacklist, share, avoidedGpuIdxs };
  const asked = host === undefined ? {} : { cpus: host[0], memoryMib: host[1] };
  return { ...gpus, vramMib, minVramMib, gpuType, ...asked };
};
