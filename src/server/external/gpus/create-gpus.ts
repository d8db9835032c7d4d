import { ok } from "../../../base/result.ts";
import type { Clock } from "../../core/clock.ts";
import type { GpuProbe, GpuReading } from "../../core/queue/gpu.ts";
import { addFaults } from "../../core/queue/gpu-fault.ts";
import type { Settings } from "../../core/settings/settings.ts";
import type { Store } from "../../core/store.ts";
import type { Log } from "../../core/telemetry/log.ts";
import { createDriverGpus } from "./driver-gpus.ts";
import { hasNoGpu, readPlaces } from "./find-driver.ts";
import { createMockGpus } from "./mock-gpus.ts";

type Notes = Pick<Store, "loadActiveJobs" | "listGpuFaults">;

type Parts = Readonly<{ store: Notes; clock: Clock; uptime: Clock; log: Log }>;

const AUTO_COUNT = 2;

const countMockGpus = ({ mockGpus }: Pick<Settings, "mockGpus">): number => {
  if (mockGpus !== "auto") return mockGpus;
  return hasNoGpu(readPlaces()) ? AUTO_COUNT : 0;
};

const listTaken = (store: Notes): ReadonlySet<number> =>
  new Set(store.loadActiveJobs().flatMap(({ gpuIdxs }) => gpuIdxs));

/** The GPUs to pretend, or those that the driver tells of; with what was noted against them. */
export const createGpus = (
  settings: Pick<Settings, "mockGpus" | "driverTimeout" | "foreignMemoryMib">,
  { store, clock, uptime, log }: Parts,
): GpuProbe => {
  const count = countMockGpus(settings);
  const { driverTimeout: timeoutS, foreignMemoryMib } = settings;
  const parts = { clock: uptime, timeoutS, foreignMemoryMib, listTaken: () => listTaken(store), readPlaces, log };
  const gpus = count > 0 ? createMockGpus(count) : createDriverGpus(parts);
  const note = (reading: GpuReading): GpuReading =>
    reading.ok ? ok(addFaults(reading.value, store.listGpuFaults(), clock())) : reading;
  return {
    ...gpus,
    read: async (maxAgeS) => note(await gpus.read(maxAgeS)),
    readNow: async () => note(await gpus.readNow()),
  };
};
