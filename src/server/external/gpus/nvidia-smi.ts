import { err, ok, type Problem, type Result } from "../../../base/result.ts";
import type { Clock } from "../../core/clock.ts";
import type { Gpu, GpuReading } from "../../core/queue/gpu.ts";
import type { Ask } from "./driver-calls.ts";
import { createNvidiaHealth, type Query } from "./nvidia-health.ts";
import { type Migs, NO_MIGS, parseMigDetails, replaceByMigs } from "./nvidia-mig.ts";
import {
  CSV,
  createNvidiaRows,
  describeFailure,
  isWell,
  quoteError,
  type Rows,
  type Smi,
  selectGpu,
} from "./nvidia-rows.ts";
import {
  assignProcesses,
  type ComputeProcess,
  PROCESS_FIELDS,
  parseMigList,
  parseProcessLines,
} from "./nvidia-smi-output.ts";

type Processes = Readonly<{ all: readonly ComputeProcess[]; troubles: ReadonlyMap<number, string> }>;

const addFault = (gpu: Gpu, fault: string | null): Gpu => ({ ...gpu, fault: gpu.fault ?? fault });

const createSmi =
  (ask: Ask, path: string): Smi =>
  async (...args) => {
    const output = await ask([path, ...args]);
    return output.ok ? output : err({ message: `The GPUs can't be read: ${output.error.message}` });
  };

const readProcessesOneByOne = async (smi: Smi, gpus: readonly Gpu[]): Promise<Result<Processes, Problem>> => {
  const all: ComputeProcess[] = [];
  const troubles = new Map<number, string>();
  for (const gpu of gpus) {
    const output = await smi(`--query-compute-apps=${PROCESS_FIELDS}`, CSV, ...selectGpu(gpu));
    if (!output.ok) return output;
    if (isWell(output.value)) all.push(...parseProcessLines(output.value.stdout));
    else troubles.set(gpu.index, `its processes can't be listed: ${quoteError(output.value)}`);
  }
  return ok({ all, troubles });
};

const readProcesses = async (smi: Smi, { gpus, select }: Rows): Promise<Result<Processes, Problem>> => {
  const output = await smi(`--query-compute-apps=${PROCESS_FIELDS}`, CSV, ...select);
  if (!output.ok) return output;
  if (isWell(output.value)) return ok({ all: parseProcessLines(output.value.stdout), troubles: new Map() });
  return readProcessesOneByOne(
    smi,
    gpus.filter(({ fault }) => fault === null),
  );
};

const mayBeCut = ({ gpus }: Rows, processes: readonly ComputeProcess[]): boolean =>
  gpus.some(({ utilization, fault }) => fault === null && utilization === null) ||
  processes.some(({ uuid }) => uuid.startsWith("MIG-"));

const readMigs = async (smi: Smi, rows: Rows, processes: readonly ComputeProcess[]): Promise<Result<Migs, Problem>> => {
  if (!mayBeCut(rows, processes)) return ok(NO_MIGS);
  const list = await smi("-L");
  if (!list.ok) return list;
  if (!isWell(list.value)) return err({ message: describeFailure(list.value) });
  const listed = parseMigList(list.value.stdout);
  if (listed.length === 0) return ok(NO_MIGS);
  const parents = [...new Set(listed.map(({ parent }) => parent))];
  const details = await smi("-q", "-x", "-i", parents.join(","));
  return details.ok ? ok({ listed, details: parseMigDetails(details.value.stdout) }) : details;
};

type Looked = Readonly<{ gpus: readonly Gpu[]; processes: readonly ComputeProcess[]; migs: Migs }>;

const addProcesses = async (smi: Smi, rows: Rows): Promise<Result<Looked, Problem>> => {
  const processes = await readProcesses(smi, rows);
  if (!processes.ok) return processes;
  const { all, troubles } = processes.value;
  const migs = await readMigs(smi, rows, all);
  if (!migs.ok) return migs;
  const parents = new Map(migs.value.listed.map(({ uuid, parent }) => [uuid, parent]));
  const gpus = assignProcesses(rows.gpus, all, parents).map((gpu) => addFault(gpu, troubles.get(gpu.index) ?? null));
  return ok({ gpus, processes: all, migs: migs.value });
};

/** What `nvidia-smi` at a path says of the GPUs. */
export const createNvidiaLook = (ask: Ask, clock: Clock): ((path: string) => Promise<GpuReading>) => {
  const readRows = createNvidiaRows(clock);
  const readHealth = createNvidiaHealth(clock);
  return async (path) => {
    const smi = createSmi(ask, path);
    const rows = await readRows(smi);
    if (!rows.ok) return rows;
    if (rows.value.gpus.every(({ fault }) => fault !== null)) return ok(rows.value.gpus);
    const query: Query = (fields) => smi(`--query-gpu=index,${fields}`, CSV, ...rows.value.select);
    const [health, looked] = await Promise.all([readHealth(query), addProcesses(smi, rows.value)]);
    if (!health.ok) return health;
    if (!looked.ok) return looked;
    const gpus = looked.value.gpus.map((gpu) => {
      const { fault, ...figures } = health.value(gpu.index);
      return addFault({ ...gpu, ...figures }, fault);
    });
    return ok(replaceByMigs(gpus, looked.value.processes, looked.value.migs));
  };
};
