import type { Gpu } from "../../core/queue/gpu.ts";

/** `uuid` is that of a GPU or of a MIG device on one; `pid` is 0 where the driver does not tell it. */
export type ComputeProcess = Readonly<{ uuid: string; pid: number }>;

const FIELDS_BEFORE_NAME = 2;
const FIELDS_AFTER_NAME = 5;
const NUMBER = /^-?\d+(\.\d+)?$/;
const UUID = /\(UUID: ([^)\s]+)\)/;

/** The fields that `parseGpuLines` expects. */
export const GPU_FIELDS = "index,uuid,name,memory.total,memory.used,utilization.gpu,temperature.gpu,power.draw";

/** The fields that `parseProcessLines` expects. */
export const PROCESS_FIELDS = "gpu_uuid,pid";

const splitFields = (line: string): readonly string[] => line.split(",").map((field) => field.trim());

const listLines = (text: string): readonly string[] => text.split("\n").filter((line) => line.trim() !== "");

const parseFigure = (field: string): number | null => (NUMBER.test(field) ? Number(field) : null);

const parseMemory = (field: string): number => Math.max(0, Math.round(parseFigure(field) ?? 0));

const parseGpuLine = (line: string): Gpu | null => {
  const fields = splitFields(line);
  const [index = "", uuid = ""] = fields;
  const [total = "", used = "", utilization = "", temperature = "", power = ""] = fields.slice(-FIELDS_AFTER_NAME);
  if (!/^\d{1,4}$/.test(index) || fields.length <= FIELDS_BEFORE_NAME + FIELDS_AFTER_NAME) return null;
  return {
    index: Number(index),
    uuid: uuid.startsWith("GPU-") ? uuid : null,
    name: fields.slice(FIELDS_BEFORE_NAME, -FIELDS_AFTER_NAME).join(", "),
    memoryTotal: parseMemory(total),
    memoryUsed: parseMemory(used),
    utilization: parseFigure(utilization),
    temperature: parseFigure(temperature),
    powerDraw: parseFigure(power),
    processes: [],
  };
};

/** The GPUs by index. A line that is no GPU, such as a warning, is left out; so is a figure that is no number, such as `[N/A]` or `ERR!`. */
export const parseGpuLines = (text: string): readonly Gpu[] =>
  [
    ...new Map(
      listLines(text)
        .map(parseGpuLine)
        .filter((gpu) => gpu !== null)
        .map((gpu) => [gpu.index, gpu] as const),
    ).values(),
  ].toSorted((a, b) => a.index - b.index);

const parseProcessLine = (line: string): ComputeProcess | null => {
  const [uuid = "", pid = ""] = splitFields(line);
  if (!/^(GPU|MIG)-/.test(uuid)) return null;
  return { uuid, pid: /^\d+$/.test(pid) ? Number(pid) : 0 };
};

export const parseProcessLines = (text: string): readonly ComputeProcess[] =>
  listLines(text)
    .map(parseProcessLine)
    .filter((process) => process !== null);

/** From the output of `nvidia-smi -L`: the UUID of each MIG device, and that of the GPU that it is a part of. */
export const parseMigParents = (text: string): ReadonlyMap<string, string> => {
  const parents = new Map<string, string>();
  let parent = "";
  for (const line of listLines(text)) {
    const uuid = UUID.exec(line)?.[1] ?? "";
    if (line.startsWith("GPU ")) parent = uuid;
    else if (uuid.startsWith("MIG-")) parents.set(uuid, parent);
  }
  return parents;
};

const isOn = (process: ComputeProcess, gpu: Gpu, migParents: ReadonlyMap<string, string>): boolean => {
  if (gpu.uuid === null) return false;
  const uuid = migParents.get(process.uuid) ?? process.uuid;
  return uuid === gpu.uuid || uuid.startsWith(`MIG-${gpu.uuid}/`);
};

export const assignProcesses = (
  gpus: readonly Gpu[],
  processes: readonly ComputeProcess[],
  migParents: ReadonlyMap<string, string>,
): readonly Gpu[] =>
  gpus.map((gpu) => ({
    ...gpu,
    processes: processes.filter((process) => isOn(process, gpu, migParents)).map((process) => process.pid),
  }));

/** The first line that a program said, for people. */
export const quoteOutput = (...texts: readonly string[]): string =>
  texts.flatMap(listLines)[0]?.trim().slice(0, 200) ?? "it said nothing";
