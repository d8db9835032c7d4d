import { err, ok, type Problem, type Result } from "../../../base/result.ts";
import { runCommand } from "../../../tools/run-command.ts";
import type { Clock } from "../../core/clock.ts";
import type { Gpu, GpuProbe } from "../../core/queue/gpu.ts";
import {
  assignProcesses,
  type ComputeProcess,
  GPU_FIELDS,
  PROCESS_FIELDS,
  parseGpuLines,
  parseMigParents,
  parseProcessLines,
  quoteOutput,
} from "./nvidia-smi-output.ts";

type Reading = Result<readonly Gpu[], Problem>;
type Ask = (...args: readonly string[]) => Promise<Result<string, Problem>>;

const TIMEOUT_MS = 4900;
const MAX_OUTPUT_BYTES = 1024 * 1024;
const DEFAULT_MAX_AGE_S = 2;
const INFOROM_CORRUPTED = 14;
const CSV = ["--format=csv,noheader,nounits"];

const readMonotonicClock: Clock = () => performance.now() / 1000;

const createAsk = (command: string): Ask => {
  const deadline = performance.now() + TIMEOUT_MS;
  return async (...args) => {
    const timeoutMs = Math.max(1, Math.round(deadline - performance.now()));
    const output = await runCommand([command, ...args], { timeoutMs, maxOutputBytes: MAX_OUTPUT_BYTES });
    if (!output.ok) return err({ message: `The GPUs can't be read: ${output.error.message}` });
    const { exitCode, stdout, stderr } = output.value;
    if (exitCode === 0 || exitCode === INFOROM_CORRUPTED) return ok(stdout);
    return err({ message: `${command} failed with exit code ${exitCode}: ${quoteOutput(stdout, stderr)}` });
  };
};

const readMigParents = async (ask: Ask, processes: readonly ComputeProcess[]): Promise<Result<string, Problem>> =>
  processes.some(({ uuid }) => uuid.startsWith("MIG-")) ? ask("-L") : ok("");

const readAll = async (command: string): Promise<Reading> => {
  const ask = createAsk(command);
  const [gpuText, processText] = await Promise.all([
    ask(`--query-gpu=${GPU_FIELDS}`, ...CSV),
    ask(`--query-compute-apps=${PROCESS_FIELDS}`, ...CSV),
  ]);
  if (!gpuText.ok) return gpuText;
  if (!processText.ok) return processText;
  const gpus = parseGpuLines(gpuText.value);
  if (gpus.length === 0) return err({ message: `${command} names no GPU: ${quoteOutput(gpuText.value)}` });
  const processes = parseProcessLines(processText.value);
  const migText = await readMigParents(ask, processes);
  return migText.ok ? ok(assignProcesses(gpus, processes, parseMigParents(migText.value))) : migText;
};

/** Readers at the same time share one call of the program; an answer is as old as its call, a failure as old as its end. */
export const createNvidiaSmi = ({
  clock = readMonotonicClock,
  command = "nvidia-smi",
}: Readonly<{ clock?: Clock; command?: string }> = {}): GpuProbe => {
  let last: Promise<Reading> | null = null;
  let datedAt = 0;
  let isUnderWay = false;

  const call = async (): Promise<Reading> => {
    isUnderWay = true;
    datedAt = clock();
    const reading = await readAll(command);
    if (!reading.ok) datedAt = clock();
    isUnderWay = false;
    return reading;
  };

  const read = async (maxAgeS = DEFAULT_MAX_AGE_S): Promise<Reading> => {
    if (last === null || !(isUnderWay || clock() - datedAt < maxAgeS)) last = call();
    return last;
  };

  return { isMock: false, read };
};
