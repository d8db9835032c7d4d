import type { Gpu, GpuUser } from "../../core/queue/gpu.ts";
import { parseFigure, parseMemory } from "./figures.ts";

/** `uuid` is that of a GPU or of a MIG device on one; `pid` is 0 where the driver does not tell it, and so is the memory in MiB missing. */
export type ComputeProcess = Readonly<{ uuid: string; pid: number; memoryMib?: number | undefined }>;

/** A line of `nvidia-smi -L` of a MIG device: `index` is its place on the GPU with the uuid `parent`, `profile` what it is called, as `1g.10gb`. */
export type ListedMig = Readonly<{ uuid: string; parent: string; index: number; profile: string }>;

/** A line of `nvidia-smi -L`: a GPU, or in `trouble` what is said in place of one. */
export type ListedGpu = Readonly<{ index: number; uuid: string | null; trouble: string | null }>;

const FIELDS_BEFORE_NAME = 2;
const FIELDS_AFTER_NAME = 5;
const SENSOR_ERROR = "ERR!";
const UUID = /\(UUID: ([^)\s]+)\)/;
const MIG = /^\s+MIG (\S+)\s+Device\s+(\d{1,3}): \(UUID: (MIG-[^)\s]+)\)/;
const LISTED = /^GPU (\d{1,4}): /;
const LOST_HANDLE = /^Unable to determine the device handle/i;
const ERROR = /unable|error|fail|lost|not found|no devices|couldn't|can't|denied|insufficient|mismatch/i;
const WARNING = /^warning/i;
const MAX_QUOTE = 200;
const MOST_GPUS = 256;

/** The fields that `parseGpuLines` expects. */
export const GPU_FIELDS = "index,uuid,name,memory.total,memory.used,utilization.gpu,temperature.gpu,power.draw";

/** The fields that `parseProcessLines` expects. */
export const PROCESS_FIELDS = "gpu_uuid,pid,used_memory";

const splitFields = (line: string): readonly string[] => line.split(",").map((field) => field.trim());

const listLines = (text: string): readonly string[] => text.split("\n").filter((line) => line.trim() !== "");

const parseUuid = (field: string): Readonly<{ uuid: string | null; fault: string | null }> =>
  field.startsWith("GPU-") ? { uuid: field, fault: null } : { uuid: null, fault: parseFigure(field).fault };

const describePower = (field: string): Pick<Gpu, "powerDraw" | "doubt"> & Readonly<{ fault: string | null }> => {
  if (field === SENSOR_ERROR) return { powerDraw: null, doubt: `its power draw reads ${SENSOR_ERROR}`, fault: null };
  const { value, fault } = parseFigure(field);
  return { powerDraw: value, doubt: null, fault };
};

const parseGpuLine = (line: string): Gpu | null => {
  const fields = splitFields(line);
  const [index = "", uuidField = ""] = fields;
  const [total = "", used = "", load = "", heat = "", power = ""] = fields.slice(-FIELDS_AFTER_NAME);
  if (!/^\d{1,4}$/.test(index) || fields.length <= FIELDS_BEFORE_NAME + FIELDS_AFTER_NAME) return null;
  const { uuid, fault } = parseUuid(uuidField);
  const { powerDraw, doubt, fault: powerFault } = describePower(power);
  const figures = [parseMemory(total), parseMemory(used), parseFigure(load), parseFigure(heat)] as const;
  const [memoryTotal, memoryUsed, utilization, temperature] = figures.map(({ value }) => value);
  return {
    ...{ index: Number(index), uuid, deviceId: uuid, vendor: "nvidia", processes: [] },
    name: fields.slice(FIELDS_BEFORE_NAME, -FIELDS_AFTER_NAME).join(", "),
    ...{ memoryTotal: memoryTotal ?? null, memoryUsed: memoryUsed ?? null },
    ...{ utilization: utilization ?? null, temperature: temperature ?? null, powerDraw },
    ...{ eccErrors: null, recoveryAction: null, unseenUse: null, doubt },
    fault: fault ?? figures.find((figure) => figure.fault !== null)?.fault ?? powerFault,
  };
};

/** The GPUs by index. A line that is no GPU, such as a warning, is left out. A figure that is neither a number nor said not to be there is a fault of the GPU. */
export const parseGpuLines = (text: string): readonly Gpu[] =>
  [
    ...new Map(
      listLines(text)
        .map(parseGpuLine)
        .filter((gpu) => gpu !== null)
        .map((gpu) => [gpu.index, gpu] as const),
    ).values(),
  ].toSorted((a, b) => a.index - b.index);

/** Whether a GPU is missing in the output because the driver could not reach it. */
export const namesLostHandle = (text: string): boolean => listLines(text).some((line) => LOST_HANDLE.test(line.trim()));

const parseProcessLine = (line: string): ComputeProcess | null => {
  const [uuid = "", pid = "", memory = ""] = splitFields(line);
  if (!/^(GPU|MIG)-/.test(uuid)) return null;
  return { uuid, pid: /^\d+$/.test(pid) ? Number(pid) : 0, memoryMib: parseMemory(memory).value ?? undefined };
};

export const parseProcessLines = (text: string): readonly ComputeProcess[] =>
  listLines(text)
    .map(parseProcessLine)
    .filter((process) => process !== null);

export const parseMigList = (text: string): readonly ListedMig[] => {
  const devices: ListedMig[] = [];
  let parent = "";
  for (const line of listLines(text)) {
    const [, profile, index, uuid] = MIG.exec(line) ?? [];
    if (line.startsWith("GPU ")) parent = UUID.exec(line)?.[1] ?? "";
    else if (profile !== undefined && uuid !== undefined) devices.push({ uuid, parent, index: Number(index), profile });
  }
  return devices;
};

/** From the output of `nvidia-smi -L`: the UUID of each MIG device, and that of the GPU that it is a part of. */
export const parseMigParents = (text: string): ReadonlyMap<string, string> =>
  new Map(parseMigList(text).map(({ uuid, parent }) => [uuid, parent]));

/** The GPUs that `nvidia-smi -L` names, and in the places between them those that it can't reach. */
export const parseList = (text: string): readonly ListedGpu[] => {
  const listed: ListedGpu[] = [];
  const lost: string[] = [];
  const addLost = (upTo: number): void => {
    while (listed.length < upTo)
      listed.push({ index: listed.length, uuid: null, trouble: lost.shift() ?? "it is not listed" });
  };
  for (const line of listLines(text)) {
    const index = LISTED.exec(line)?.[1];
    if (LOST_HANDLE.test(line)) lost.push(line.trim().slice(0, MAX_QUOTE));
    if (index === undefined || Number(index) >= MOST_GPUS) continue;
    addLost(Number(index));
    listed.push({ index: Number(index), uuid: UUID.exec(line)?.[1] ?? null, trouble: null });
  }
  addLost(listed.length + lost.length);
  return listed;
};

/** Processes as a GPU has them; of which job each is, is found out later. */
export const describeUsers = (processes: readonly Omit<ComputeProcess, "uuid">[]): Pick<Gpu, "processes" | "users"> => {
  const users: readonly GpuUser[] = processes.map(({ pid, memoryMib = null }) => ({ pid, memoryMib, jobId: null }));
  return { processes: users.map(({ pid }) => pid), users };
};

const isOn = (process: ComputeProcess, gpu: Gpu, migParents: ReadonlyMap<string, string>): boolean => {
  if (gpu.uuid === null) return false;
  const uuid = migParents.get(process.uuid) ?? process.uuid;
  return uuid === gpu.uuid || uuid.startsWith(`MIG-${gpu.uuid}/`);
};

/** A process of which no GPU's uuid is known may be on each GPU without one. */
export const assignProcesses = (
  gpus: readonly Gpu[],
  processes: readonly ComputeProcess[],
  migParents: ReadonlyMap<string, string>,
): readonly Gpu[] => {
  const strays = processes.filter((process) => !gpus.some((gpu) => isOn(process, gpu, migParents)));
  return gpus.map((gpu) => {
    const own = gpu.uuid === null ? strays : processes.filter((process) => isOn(process, gpu, migParents));
    return { ...gpu, ...describeUsers(own) };
  });
};

/** The line that a program said of an error, for people; without one, the first that it said. */
export const quoteOutput = (...texts: readonly string[]): string => {
  const lines = texts.flatMap(listLines).map((line) => line.trim());
  const said = lines.filter((line) => !WARNING.test(line) && parseGpuLine(line) === null);
  return (said.find((line) => ERROR.test(line)) ?? said[0] ?? lines[0])?.slice(0, MAX_QUOTE) ?? "it said nothing";
};
