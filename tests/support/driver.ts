import { err, ok } from "../../src/base/result.ts";
import type { Clock } from "../../src/server/core/clock.ts";
import type { GpuProbe } from "../../src/server/core/queue/gpu.ts";
import { createDriverGpus, type DriverParts } from "../../src/server/external/gpus/driver-gpus.ts";
import type { DriverPlaces } from "../../src/server/external/gpus/find-driver.ts";

/** What a tool answers to its arguments; `hang` does so until it is killed, `stay` even after that. */
export type Answer = Readonly<{ stdout?: string; stderr?: string; exitCode?: number }> | "hang" | "stay";

export type Tool = (args: string) => Answer;

const NOWHERE = { devices: "/nowhere", wsl: "/nowhere", rocm: "/nowhere" };

/** The places of this process, whatever devices the machine has. */
export const readTestPlaces = (): DriverPlaces => ({ ...NOWHERE, path: process.env["PATH"] ?? "" });

const QUIET: DriverParts["log"] = { info: () => undefined, warn: () => undefined };

/** The GPUs of the driver whose tool is found in PATH, unless `overrides` say otherwise. */
export const createTestDriver = (overrides: Partial<DriverParts> = {}): GpuProbe =>
  createDriverGpus({
    clock: () => performance.now() / 1000,
    timeoutS: 5,
    foreignMemoryMib: 1024,
    listTaken: () => new Set(),
    readPlaces: readTestPlaces,
    log: QUIET,
    ...overrides,
  });

/** Runs a tool that is a function. One that hangs is killed at once, on a clock that has moved by its time limit. */
export const createRun =
  (tool: Tool, clock: { now: number }): NonNullable<DriverParts["run"]> =>
  async (argv, options) => {
    const answer = tool(argv.slice(1).join(" "));
    if (typeof answer === "object") return ok({ stdout: "", stderr: "", exitCode: 0, ...answer });
    clock.now += options.timeoutMs / 1000;
    options.onKill?.(answer === "hang" ? Promise.resolve() : new Promise(() => undefined));
    return err({ message: `${argv[0]} did not answer within ${options.timeoutMs} ms` });
  };

export const createClock = (): Readonly<{ hands: { now: number }; clock: Clock }> => {
  const hands = { now: 0 };
  return { hands, clock: () => hands.now };
};
