import { describeError } from "../../../base/describe-error.ts";
import { err, ok, type Problem, type Result } from "../../../base/result.ts";
import type { Clock } from "../../core/clock.ts";
import type { GpuProbe, GpuReading } from "../../core/queue/gpu.ts";
import { judgeUse, NO_HISTORY } from "../../core/queue/unseen-use.ts";
import type { Log } from "../../core/telemetry/log.ts";
import { lookByAmdSmi } from "./amd-smi.ts";
import { createDriverCalls, type DriverCalls } from "./driver-calls.ts";
import { type Driver, type DriverPlaces, findAmdObstacle, findDriver } from "./find-driver.ts";
import { createNvidiaLook } from "./nvidia-smi.ts";
import { lookByRocmSmi } from "./rocm-smi.ts";
import { shareLooks } from "./shared-looks.ts";

/** `clock` is one that nobody sets; `listTaken` are the GPUs that jobs have. */
export type DriverParts = Readonly<{
  clock: Clock;
  timeoutS: number;
  foreignMemoryMib: number;
  listTaken: () => ReadonlySet<number>;
  readPlaces: () => DriverPlaces;
  log: Pick<Log, "info" | "warn">;
  run?: Parameters<typeof createDriverCalls>[0]["run"];
}>;

type LookAt = (driver: Driver) => Promise<GpuReading>;
type Finder = Readonly<{ find: () => Result<Driver, Problem>; readTool: () => Driver["tool"] }>;

const PERSISTENCE = "turn on persistence mode (sudo nvidia-smi -pm 1)";

const createLookAt = (calls: DriverCalls, clock: Clock): LookAt => {
  const lookByNvidiaSmi = createNvidiaLook(calls.ask, clock);
  return ({ tool, path }) => {
    switch (tool) {
      case "nvidia-smi":
        return lookByNvidiaSmi(path);
      case "amd-smi":
        return lookByAmdSmi(calls.ask, path);
      case "rocm-smi":
        return lookByRocmSmi(calls.ask, path);
    }
  };
};

const createFinder = ({ readPlaces, log }: DriverParts): Finder => {
  let known: Driver | null = null;
  const find = (): Result<Driver, Problem> => {
    const driver = findDriver(readPlaces());
    if (driver.ok && driver.value.path !== known?.path) log.info("GPUs are read", { with: driver.value.path });
    known = driver.ok ? driver.value : null;
    return driver;
  };
  return { find, readTool: () => known?.tool ?? "nvidia-smi" };
};

const createLook = (parts: DriverParts, find: Finder["find"], lookAt: LookAt): (() => Promise<GpuReading>) => {
  let history = NO_HISTORY;

  const look = async (): Promise<GpuReading> => {
    const driver = find();
    const reading = driver.ok ? await lookAt(driver.value) : driver;
    if (!reading.ok) return reading;
    const judged = judgeUse(history, reading.value, { ...parts, taken: parts.listTaken() });
    history = judged.history;
    return ok(judged.gpus);
  };

  return () => look().catch((error: unknown) => err({ message: `The GPUs can't be read: ${describeError(error)}` }));
};

const explain = (tool: Driver["tool"], slowness: string): string =>
  `${tool} ${slowness}${tool === "nvidia-smi" ? `: ${PERSISTENCE}` : ""}`;

const createTeller = ({ log }: DriverParts): ((slowness: string | null) => void) => {
  let isTold = false;
  return (slowness) => {
    if (slowness === null || isTold) return;
    isTold = true;
    log.warn("the driver is slow", { message: slowness });
  };
};

/** The GPUs that the machine's driver tells of, asked for at each look by the tool that is there then. */
export const createDriverGpus = (parts: DriverParts): GpuProbe => {
  const { clock, readPlaces } = parts;
  const { find, readTool } = createFinder(parts);
  const calls = createDriverCalls(parts);
  const looks = shareLooks({
    clock,
    look: createLook(parts, find, createLookAt(calls, clock)),
    explain: (slowness) => explain(readTool(), slowness),
    onLook: createTeller(parts),
  });
  return {
    isMock: false,
    read: looks.read,
    readNow: looks.readNow,
    readHint: () => looks.readSlowness() ?? (readTool() === "nvidia-smi" ? null : findAmdObstacle(readPlaces())),
    stop: calls.stop,
  };
};
