import { ok } from "../../../base/result.ts";
import type { Clock } from "../../core/clock.ts";
import type { ActiveJob, JobId } from "../../core/jobs/job.ts";
import type { Gpu, GpuProbe, GpuReading } from "../../core/queue/gpu.ts";
import { addFaults } from "../../core/queue/gpu-fault.ts";
import { judgeUse, NO_HISTORY } from "../../core/queue/unseen-use.ts";
import type { MockGpu, Settings } from "../../core/settings/settings.ts";
import type { Store } from "../../core/store.ts";
import type { Log } from "../../core/telemetry/log.ts";
import { createDriverGpus } from "./driver-gpus.ts";
import { hasNoGpu, readPlaces } from "./find-driver.ts";
import { createMockGpus } from "./mock-gpus.ts";

type Notes = Pick<Store, "loadActiveJobs" | "listGpuFaults">;

type FindJobOf = (pid: number, active: readonly ActiveJob[]) => JobId | null;

type Parts = Readonly<{ store: Notes; clock: Clock; uptime: Clock; log: Log; findJobOf: FindJobOf }>;

type Asked = Pick<Settings, "serverDir" | "mockGpus" | "shareWithForeign" | "driverTimeout" | "foreignMemoryMib">;

const AUTO_COUNT = 2;

const chooseMockGpus = ({ mockGpus }: Pick<Settings, "mockGpus">): number | readonly MockGpu[] => {
  if (mockGpus !== "auto") return mockGpus;
  return hasNoGpu(readPlaces()) ? AUTO_COUNT : 0;
};

const listTaken = (store: Notes): ReadonlySet<number> =>
  new Set(store.loadActiveJobs().flatMap(({ gpuIdxs }) => gpuIdxs));

const createJudge = (foreignMemoryMib: number, store: Notes): ((gpus: readonly Gpu[]) => readonly Gpu[]) => {
  let history = NO_HISTORY;
  return (gpus) => {
    const judged = judgeUse(history, gpus, { taken: listTaken(store), foreignMemoryMib });
    history = judged.history;
    return judged.gpus;
  };
};

const listUsers = ({ users, processes }: Gpu): Gpu["users"] =>
  users ?? (processes.length === 0 ? undefined : processes.map((pid) => ({ pid, memoryMib: null, jobId: null })));

const nameJobs = (gpus: readonly Gpu[], { store, findJobOf }: Parts): readonly Gpu[] => {
  const active = store.loadActiveJobs().filter(({ gpuIdxs }) => gpuIdxs.length > 0);
  if (active.length === 0) return gpus;
  return gpus.map((gpu) => {
    const users = listUsers(gpu)?.map((user) => ({ ...user, jobId: findJobOf(user.pid, active) }));
    return users === undefined ? gpu : { ...gpu, users };
  });
};

const share = (gpus: readonly Gpu[], { shareWithForeign }: Asked): readonly Gpu[] =>
  shareWithForeign ? gpus.map((gpu) => ({ ...gpu, sharesWithOthers: true })) : gpus;

const openGpus = (settings: Asked, { store, uptime, log }: Parts): GpuProbe => {
  const mocks = chooseMockGpus(settings);
  const { serverDir: folder, driverTimeout: timeoutS, foreignMemoryMib } = settings;
  const parts = { clock: uptime, timeoutS, foreignMemoryMib, listTaken: () => listTaken(store), readPlaces, log };
  return mocks === 0
    ? createDriverGpus(parts)
    : createMockGpus(mocks, { folder, judge: createJudge(foreignMemoryMib, store) });
};

/** The GPUs to pretend, or those that the driver tells of; with what was noted against them, and the jobs that their processes are of. */
export const createGpus = (settings: Asked, parts: Parts): GpuProbe => {
  const gpus = openGpus(settings, parts);
  const note = (reading: GpuReading): GpuReading =>
    reading.ok
      ? ok(addFaults(share(nameJobs(reading.value, parts), settings), parts.store.listGpuFaults(), parts.clock()))
      : reading;
  return {
    ...gpus,
    read: async (maxAgeS) => note(await gpus.read(maxAgeS)),
    readNow: async () => note(await gpus.readNow()),
  };
};
