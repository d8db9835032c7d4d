import { readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { describeError } from "../../../base/describe-error.ts";
import { readErrorCode } from "../../../base/error-code.ts";
import { err, ok } from "../../../base/result.ts";
import type { Gpu, GpuProbe, GpuReading, GpuUser } from "../../core/queue/gpu.ts";
import type { MockGpu } from "../../core/settings/settings.ts";

const DEFAULT_COUNT = 2;
const EVEN_MEMORY_MIB = 8192;
const ODD_MEMORY_MIB = 16_384;

const memorySchema = z.int().min(0);

const useSchema = z.array(
  z.object({
    index: z.int().min(0).optional(),
    name: z.string().min(1).optional(),
    memory_used: memorySchema.optional(),
    utilization: z.number().min(0).max(100).optional(),
    processes: z.array(z.object({ pid: z.int().min(0).optional(), memory: memorySchema.optional() })).optional(),
  }),
);

type Use = z.output<typeof useSchema>[number];

const listUsers = ({ processes }: Use): readonly GpuUser[] | undefined =>
  processes?.map(({ pid = 0, memory = null }) => ({ pid, memoryMib: memory, jobId: null }));

const createMockGpu = ({ memoryMib, isMig }: MockGpu, index: number, use: Use = {}): Gpu => {
  const users = listUsers(use);
  const { name = isMig ? `Mock GPU ${index} MIG` : `Mock GPU ${index}`, utilization = null } = use;
  const told = users?.reduce((sum, user) => sum + (user.memoryMib ?? 0), 0) ?? 0;
  return {
    ...{ index, name, vendor: "nvidia", memoryTotal: memoryMib, memoryUsed: use.memory_used ?? told, utilization },
    ...{ uuid: `${isMig ? "MIG-" : ""}MOCK-${index}`, deviceId: isMig ? `MIG-MOCK-${index}` : null },
    ...{ temperature: null, powerDraw: null, eccErrors: null, recoveryAction: null },
    ...{ processes: users?.map(({ pid }) => pid) ?? [], fault: null, doubt: null, unseenUse: null },
    ...(users === undefined ? {} : { users }),
  };
};

const listUsual = (count: number): readonly MockGpu[] =>
  Array.from({ length: count }, (_, index) => ({
    memoryMib: index % 2 === 0 ? EVEN_MEMORY_MIB : ODD_MEMORY_MIB,
    isMig: false,
  }));

const readUse = (path: string): ReadonlyMap<number, Use> => {
  const uses = useSchema.parse(JSON.parse(readFileSync(path, "utf8")));
  return new Map(uses.map((use, place) => [use.index ?? place, use]));
};

const look = (gpus: readonly MockGpu[], path: string): GpuReading => {
  try {
    const uses = readUse(path);
    return ok(gpus.map((gpu, index) => createMockGpu(gpu, index, uses.get(index))));
  } catch (error) {
    if (readErrorCode(error) === "ENOENT") return ok(gpus.map((gpu, index) => createMockGpu(gpu, index)));
    const what = error instanceof z.ZodError ? z.prettifyError(error).replaceAll("\n", " ") : describeError(error);
    return err({ message: `The mock GPUs can't be read: ${path}: ${what}` });
  }
};

/** GPUs that nobody has, so that a machine without one can try everything; what uses them is read at each look from `mock-gpus.json` in the folder. */
export const createMockGpus = (
  given: number | readonly MockGpu[] = DEFAULT_COUNT,
  { folder = "/nowhere", judge = (gpus: readonly Gpu[]) => gpus } = {},
): GpuProbe => {
  const gpus = (typeof given === "number" ? listUsual(given) : given).toSorted(
    (a, b) => Number(a.isMig) - Number(b.isMig),
  );
  const read = async (): Promise<GpuReading> => {
    const reading = look(gpus, join(folder, "mock-gpus.json"));
    return reading.ok ? ok(judge(reading.value)) : reading;
  };
  return { isMock: true, read, readNow: read, readHint: () => null, stop: () => undefined };
};
