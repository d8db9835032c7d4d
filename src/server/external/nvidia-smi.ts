import { err, ok, type Result } from "../../shared/result.ts";
import type { Gpu, GpuError, GpuProbe } from "../core/ports.ts";
import { runCommand } from "./run-command.ts";

type Reading = Result<readonly Gpu[], GpuError>;
type Process = Readonly<{ uuid: string; pid: number }>;

const TIMEOUT_MS = 5000;
const MAX_OUTPUT_BYTES = 1024 * 1024;
const DEFAULT_MAX_AGE_S = 2;
const FIELDS_AFTER_NAME = 5;
const GPU_QUERY = "index,uuid,name,memory.total,memory.used,utilization.gpu,temperature.gpu,power.draw";

const splitFields = (line: string): readonly string[] => line.split(",").map((field) => field.trim());

const listLines = (text: string): readonly string[] => text.split("\n").filter((line) => line.trim() !== "");

/** Null for `[N/A]`, `[Not Supported]`, `[Unknown Error]`, `ERR!` and whatever else is no number. */
export const parseFigure = (field: string | undefined): number | null => {
  const value = Number.parseFloat(field ?? "");
  return Number.isFinite(value) ? value : null;
};

/** One line of `--query-gpu` as CSV without units; null when it names no GPU. A name may hold commas. */
export const parseGpuLine = (line: string): Gpu | null => {
  const fields = splitFields(line);
  const index = fields[0] ?? "";
  if (!/^\d+$/.test(index) || fields.length < FIELDS_AFTER_NAME + 3) return null;
  const [memoryTotal, memoryUsed, utilization, temperature, powerDraw] = fields
    .slice(-FIELDS_AFTER_NAME)
    .map(parseFigure);
  return {
    index: Number(index),
    uuid: fields[1] ?? null,
    name: fields.slice(2, -FIELDS_AFTER_NAME).join(", "),
    memoryTotal: Math.round(memoryTotal ?? 0),
    memoryUsed: Math.round(memoryUsed ?? 0),
    utilization: utilization ?? null,
    temperature: temperature ?? null,
    powerDraw: powerDraw ?? null,
    processes: [],
  };
};

export const parseProcessLine = (line: string): Process | null => {
  const [uuid = "", pid = ""] = splitFields(line);
  return /^\d+$/.test(pid) ? { uuid, pid: Number(pid) } : null;
};

const assignProcesses = (gpus: readonly Gpu[], processes: readonly Process[]): readonly Gpu[] =>
  gpus.map((gpu) => ({
    ...gpu,
    processes: processes.filter((process) => process.uuid === gpu.uuid).map((process) => process.pid),
  }));

const query = async (command: string, what: string): Promise<Result<readonly string[], GpuError>> => {
  const argv = [command, what, "--format=csv,noheader,nounits"] as const;
  const output = await runCommand(argv, { timeoutMs: TIMEOUT_MS, maxOutputBytes: MAX_OUTPUT_BYTES });
  if (!output.ok) return err({ message: output.error.message });
  const { exitCode, stdout, stderr } = output.value;
  if (exitCode === 0) return ok(listLines(stdout));
  const said = listLines(`${stdout}\n${stderr}`)[0] ?? "it said nothing";
  return err({ message: `${command} failed with exit code ${exitCode}: ${said}` });
};

const readAll = async (command: string): Promise<Reading> => {
  const [gpuLines, processLines] = await Promise.all([
    query(command, `--query-gpu=${GPU_QUERY}`),
    query(command, "--query-compute-apps=gpu_uuid,pid"),
  ]);
  if (!gpuLines.ok) return gpuLines;
  if (!processLines.ok) return processLines;
  const gpus = gpuLines.value.map(parseGpuLine);
  if (gpus.some((gpu) => gpu === null)) return err({ message: `${command} answered what can't be read as GPUs` });
  const processes = processLines.value.map(parseProcessLine).filter((process) => process !== null);
  return ok(
    assignProcesses(
      gpus.filter((gpu) => gpu !== null).toSorted((a, b) => a.index - b.index),
      processes,
    ),
  );
};

/** Readers at the same time share one call of the program. */
export const createNvidiaSmi = ({ command = "nvidia-smi" }: Readonly<{ command?: string }>): GpuProbe => {
  let last: Readonly<{ at: number; reading: Reading }> | null = null;
  let current: Promise<Reading> | null = null;

  const refresh = async (): Promise<Reading> => {
    const reading = await readAll(command);
    last = { at: performance.now(), reading };
    current = null;
    return reading;
  };

  const read = async (maxAgeS = DEFAULT_MAX_AGE_S): Promise<Reading> => {
    if (last !== null && performance.now() - last.at < maxAgeS * 1000) return last.reading;
    current ??= refresh();
    return current;
  };

  return { isMock: false, read };
};
