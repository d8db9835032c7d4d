import { z } from "zod";
import { err, ok, type Problem, type Result } from "../../../base/result.ts";
import type { CommandOutput } from "../../../tools/run-command.ts";
import type { Gpu } from "../../core/queue/gpu.ts";
import type { Ask } from "./driver-calls.ts";
import { type Figure, parseFigure, parseMemory } from "./figures.ts";
import { quoteOutput } from "./nvidia-smi-output.ts";

/** What AMD's tools say of a GPU, as they say it; memory in MiB. */
export type AmdFigures = Readonly<{
  index: number;
  uuid: string | null;
  deviceId: string | null;
  name: string | null;
  memoryTotal: Figure;
  memoryUsed: Figure;
  utilization: Figure;
  temperature: Figure;
  powerDraw: Figure;
}>;

const UNSAID: Figure = { value: null, fault: null };
const MEMORY_UNKNOWN = "its memory can't be read";

const figureSchema = z.union([z.number(), z.string(), z.object({ value: z.union([z.number(), z.string()]) })]);

const toText = (value: unknown): string => {
  const parsed = figureSchema.safeParse(value);
  if (!parsed.success) return "N/A";
  return String(typeof parsed.data === "object" ? parsed.data.value : parsed.data).trim();
};

/** A figure as `amd-smi` and `rocm-smi` write it: a number, a text, or an object with its unit. */
export const readFigure = (value: unknown): Figure => (value === undefined ? UNSAID : parseFigure(toText(value)));

export const readMemory = (value: unknown, mib: number): Figure => {
  const figure = readFigure(value);
  return figure.value === null ? figure : parseMemory(String(Math.round(figure.value * mib)));
};

/** Without its memory, an AMD GPU is not seen well: the driver knows it of each that works. */
export const makeAmdGpu = (figures: AmdFigures, processes: readonly number[] | null): Gpu => {
  const { memoryTotal, memoryUsed, utilization, temperature, powerDraw } = figures;
  const all = [memoryTotal, memoryUsed, utilization, temperature, powerDraw];
  const unknown = memoryTotal.value === null || memoryUsed.value === null ? MEMORY_UNKNOWN : null;
  const unlisted = processes === null ? "its processes can't be listed" : null;
  return {
    ...{ index: figures.index, uuid: figures.uuid, deviceId: figures.deviceId, vendor: "amd" },
    name: figures.name ?? "AMD GPU",
    ...{ memoryTotal: memoryTotal.value, memoryUsed: memoryUsed.value, utilization: utilization.value },
    ...{ temperature: temperature.value, powerDraw: powerDraw.value, eccErrors: null, recoveryAction: null },
    ...{ processes: processes ?? [], doubt: null, unseenUse: null },
    fault: all.find(({ fault }) => fault !== null)?.fault ?? unknown ?? unlisted,
  };
};

const parseJson = (text: string): unknown => {
  const start = text.search(/[[{]/);
  try {
    return start < 0 ? null : JSON.parse(text.slice(start));
  } catch {
    return null;
  }
};

const isRead = (value: unknown): value is object => typeof value === "object" && value !== null;

/** The JSON document that a tool prints, also after a warning; without one, why there is none. */
export const askForJson = async (ask: Ask, argv: readonly [string, ...string[]]): Promise<Result<object, Problem>> => {
  const output = await ask(argv);
  if (!output.ok) return err({ message: `The GPUs can't be read: ${output.error.message}` });
  const json = parseJson(output.value.stdout);
  return isRead(json) ? ok(json) : err({ message: describeAmdFailure(argv[0], output.value) });
};

const describeAmdFailure = (tool: string, { stdout, stderr, exitCode }: CommandOutput): string =>
  exitCode === 0
    ? `${tool} names no GPU: ${quoteOutput(stdout, stderr)}`
    : `${tool} failed with exit code ${exitCode}: ${quoteOutput(stderr, stdout)}`;
