import type { Gpu } from "../../core/queue/gpu.ts";
import { parseMemory } from "./figures.ts";
import { type ComputeProcess, describeUsers, type ListedMig } from "./nvidia-smi-output.ts";

type Place = Readonly<{ gpuInstance: string; computeInstance: string }>;
type Device = Place & Readonly<{ index: number; total: number | null; used: number | null }>;
type Process = Place & Omit<ComputeProcess, "uuid">;

/** What `nvidia-smi -q -x` says of a GPU that is cut into MIG devices. */
export type MigDetails = Readonly<{ devices: readonly Device[]; processes: readonly Process[] }>;

/** All that is known of the MIG devices of a machine, `details` by the uuid of the GPU. */
export type Migs = Readonly<{ listed: readonly ListedMig[]; details: ReadonlyMap<string, MigDetails> }>;

export const NO_MIGS: Migs = { listed: [], details: new Map() };

const NOTHING: MigDetails = { devices: [], processes: [] };

const listParts = (xml: string, tag: string): readonly string[] =>
  [...xml.matchAll(new RegExp(`<${tag}(?: [^>]*)?>([^]*?)</${tag}>`, "g"))].map(([, inner = ""]) => inner);

const readText = (xml: string, tag: string): string => listParts(xml, tag)[0]?.trim() ?? "";

const readMib = (xml: string, tag: string): number | null => parseMemory(readText(xml, tag)).value;

const readPlace = (xml: string): Place => ({
  gpuInstance: readText(xml, "gpu_instance_id"),
  computeInstance: readText(xml, "compute_instance_id"),
});

const readDevice = (xml: string): Device => {
  const memory = readText(xml, "fb_memory_usage");
  const index = Number(readText(xml, "index"));
  return { ...readPlace(xml), index, total: readMib(memory, "total"), used: readMib(memory, "used") };
};

const readProcess = (xml: string): Process => {
  const pid = readText(xml, "pid");
  const memoryMib = readMib(xml, "used_memory") ?? undefined;
  return { ...readPlace(xml), pid: /^\d+$/.test(pid) ? Number(pid) : 0, memoryMib };
};

export const parseMigDetails = (xml: string): Migs["details"] =>
  new Map(
    listParts(xml, "gpu").map((gpu) => {
      const processes = listParts(readText(gpu, "processes"), "process_info");
      const devices = listParts(readText(gpu, "mig_devices"), "mig_device").map(readDevice);
      const computing = processes.filter((process) => readText(process, "type").includes("C"));
      return [readText(gpu, "uuid"), { devices, processes: computing.map(readProcess) }];
    }),
  );

const isAt = (place: Place, { gpuInstance, computeInstance }: Place): boolean =>
  place.gpuInstance === gpuInstance && place.computeInstance === computeInstance;

const listOn = (
  { uuid, parent }: ListedMig,
  device: Device | undefined,
  { processes, all }: MigDetails & Readonly<{ all: readonly ComputeProcess[] }>,
): Pick<Gpu, "processes" | "users"> => {
  const here = processes.filter((process) => device !== undefined && isAt(process, device));
  const placed = new Set(processes.map(({ pid }) => pid));
  const named = all.filter((process) => process.uuid === uuid && !here.some(({ pid }) => pid === process.pid));
  const unplaced = all.filter((process) => process.uuid === parent && !placed.has(process.pid));
  return describeUsers([...here, ...named, ...unplaced]);
};

const createInstance = (
  listed: ListedMig,
  gpu: Gpu,
  all: readonly ComputeProcess[],
  migs: Migs,
): Omit<Gpu, "index"> => {
  const known = migs.details.get(listed.parent) ?? NOTHING;
  const device = known.devices.find(({ index }) => index === listed.index);
  return {
    ...gpu,
    ...{ uuid: listed.uuid, deviceId: listed.uuid, name: `${gpu.name} MIG ${listed.profile}` },
    ...{ memoryTotal: device?.total ?? null, memoryUsed: device?.used ?? null, utilization: null },
    ...listOn(listed, device, { ...known, all }),
  };
};

/** The GPUs, and in place of those that are cut into MIG devices these, with indices after those of the whole ones. A process of which only the GPU is known may be on each of its devices. */
export const replaceByMigs = (gpus: readonly Gpu[], all: readonly ComputeProcess[], migs: Migs): readonly Gpu[] => {
  const listOf = (gpu: Gpu): readonly ListedMig[] =>
    gpu.uuid === null ? [] : migs.listed.filter(({ parent }) => parent === gpu.uuid);
  const whole = gpus.filter((gpu) => listOf(gpu).length === 0);
  const first = whole.reduce((next, { index }) => Math.max(next, index + 1), 0);
  const instances = gpus.flatMap((gpu) => listOf(gpu).map((listed) => createInstance(listed, gpu, all, migs)));
  return [...whole, ...instances.map((instance, place) => ({ ...instance, index: first + place }))];
};
