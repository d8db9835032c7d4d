import { err, ok, type Problem, type Result } from "../../../base/result.ts";
import type { CommandOutput } from "../../../tools/run-command.ts";
import type { Clock } from "../../core/clock.ts";
import type { Gpu } from "../../core/queue/gpu.ts";
import {
  GPU_FIELDS,
  type ListedGpu,
  namesLostHandle,
  parseGpuLines,
  parseList,
  quoteOutput,
} from "./nvidia-smi-output.ts";

/** Runs `nvidia-smi`. */
export type Smi = (...args: readonly string[]) => Promise<Result<CommandOutput, Problem>>;

/** `select` are the arguments by which those that answer are asked for alone; empty where all can be asked for at once. */
export type Rows = Readonly<{ gpus: readonly Gpu[]; select: readonly string[] }>;

export type ReadRows = (smi: Smi) => Promise<Result<Rows, Problem>>;

type Known = ReadonlyMap<number, Gpu>;
type Part = Readonly<{ rows: Rows; until: number }>;
type Memory = { known: Map<number, Gpu>; part: Part | null };

const INFOROM_CORRUPTED = 14;
const PART_HOLDS_FOR_S = 60;

export const CSV = "--format=csv,noheader,nounits";

export const isWell = ({ exitCode }: CommandOutput): boolean => exitCode === 0 || exitCode === INFOROM_CORRUPTED;

export const quoteError = ({ stdout, stderr }: CommandOutput): string => quoteOutput(stdout, stderr);

export const describeFailure = (output: CommandOutput): string =>
  isWell(output)
    ? `nvidia-smi names no GPU: ${quoteError(output)}`
    : `nvidia-smi failed with exit code ${output.exitCode}: ${quoteError(output)}`;

export const selectGpu = ({ uuid, index }: Pick<Gpu, "uuid" | "index">): readonly string[] => [
  "-i",
  uuid ?? String(index),
];

const isLost = ({ fault }: Gpu): boolean => fault !== null;

const makeLost = ({ index, uuid }: ListedGpu, fault: string, known: Gpu | undefined): Gpu => ({
  ...{ index, uuid: uuid ?? known?.uuid ?? null, deviceId: null, vendor: "nvidia", name: known?.name ?? "unknown" },
  ...{ memoryTotal: known?.memoryTotal ?? null, memoryUsed: null, utilization: null, temperature: null },
  ...{ powerDraw: null, eccErrors: null, recoveryAction: null, processes: [], fault, doubt: null, unseenUse: null },
});

const readOne = async (smi: Smi, listed: ListedGpu, known: Known): Promise<Result<Gpu, Problem>> => {
  const lose = (fault: string): Result<Gpu, Problem> => ok(makeLost(listed, fault, known.get(listed.index)));
  if (listed.trouble !== null) return lose(listed.trouble);
  const output = await smi(`--query-gpu=${GPU_FIELDS}`, CSV, ...selectGpu(listed));
  if (!output.ok) return output;
  const gpu = parseGpuLines(output.value.stdout).find(({ index }) => index === listed.index);
  return gpu === undefined ? lose(quoteError(output.value)) : ok(gpu);
};

const toPart = (gpus: readonly Gpu[]): Rows => ({
  gpus: gpus.toSorted((a, b) => a.index - b.index),
  select: ["-i", gpus.flatMap((gpu) => (isLost(gpu) ? [] : [gpu.uuid ?? gpu.index])).join(",")],
});

const readOneByOne = async (smi: Smi, whole: CommandOutput, known: Known): Promise<Result<Rows, Problem>> => {
  const gpus = [...parseGpuLines(whole.stdout)];
  const list = await smi("-L");
  if (!list.ok) return list;
  for (const listed of parseList(list.value.stdout)) {
    if (gpus.some(({ index }) => index === listed.index)) continue;
    const one = await readOne(smi, listed, known);
    if (!one.ok) return one;
    gpus.push(one.value);
  }
  return gpus.length === 0 ? err({ message: describeFailure(whole) }) : ok(toPart(gpus));
};

const readPart = async (smi: Smi, { gpus, select }: Rows): Promise<Result<Rows | null, Problem>> => {
  const output = await smi(`--query-gpu=${GPU_FIELDS}`, CSV, ...select);
  if (!output.ok) return output;
  const read = parseGpuLines(output.value.stdout);
  const isSame = isWell(output.value) && read.length === gpus.filter((gpu) => !isLost(gpu)).length;
  return ok(isSame ? toPart([...read, ...gpus.filter(isLost)]) : null);
};

const readWhole = async (smi: Smi, memory: Memory, now: number): Promise<Result<Rows, Problem>> => {
  const output = await smi(`--query-gpu=${GPU_FIELDS}`, CSV);
  if (!output.ok) return output;
  const gpus = parseGpuLines(output.value.stdout);
  if (gpus.length > 0 && isWell(output.value) && !namesLostHandle(output.value.stdout)) return ok({ gpus, select: [] });
  const rows = await readOneByOne(smi, output.value, memory.known);
  if (rows.ok && !rows.value.gpus.every(isLost)) memory.part = { rows: rows.value, until: now + PART_HOLDS_FOR_S };
  return rows;
};

const readAgain = async (smi: Smi, { part }: Memory, now: number): Promise<Result<Rows | null, Problem>> =>
  part !== null && now < part.until ? readPart(smi, part.rows) : ok(null);

/**
 * The GPUs without their processes. Where they can't be asked for at once, it is done one by one, and one that is lost is
 * told as such; for a minute those that answered are then asked for together.
 */
export const createNvidiaRows = (clock: Clock): ReadRows => {
  const memory: Memory = { known: new Map(), part: null };
  return async (smi) => {
    const again = await readAgain(smi, memory, clock());
    if (!again.ok) return again;
    const rows = again.value === null ? await readWhole(smi, memory, clock()) : ok(again.value);
    if (rows.ok) for (const gpu of rows.value.gpus.filter((one) => !isLost(one))) memory.known.set(gpu.index, gpu);
    return rows;
  };
};
