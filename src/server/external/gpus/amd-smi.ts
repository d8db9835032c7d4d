import { z } from "zod";
import { err, ok } from "../../../base/result.ts";
import type { Gpu, GpuReading } from "../../core/queue/gpu.ts";
import { type AmdFigures, askForJson, makeAmdGpu, readFigure, readMemory } from "./amd-gpu.ts";
import type { Ask } from "./driver-calls.ts";

type Row = Readonly<Record<string, unknown>> & Readonly<{ gpu: number }>;

const rowSchema = z.looseObject({ gpu: z.coerce.number().int().min(0).max(255) });
const rowsSchema = z.union([z.array(z.unknown()), z.object({ gpu_data: z.array(z.unknown()) })]);
const looseSchema = z.record(z.string(), z.unknown());
const processSchema = z.object({ process_info: z.looseObject({ pid: z.coerce.number().int().min(0) }) });

const toObject = (value: unknown): Readonly<Record<string, unknown>> => looseSchema.safeParse(value).data ?? {};

const toText = (value: unknown): string | null => (typeof value === "string" && value !== "N/A" ? value : null);

const listRows = (json: object): readonly Row[] => {
  const { data = [] } = rowsSchema.safeParse(json);
  return (Array.isArray(data) ? data : data.gpu_data).flatMap((row) => rowSchema.safeParse(row).data ?? []);
};

const byIndex = (json: object): ReadonlyMap<number, Row> => new Map(listRows(json).map((row) => [row.gpu, row]));

const isUsing = (process: Readonly<Record<string, unknown>>): boolean => {
  const used = [process["mem_usage"], ...Object.values(toObject(process["memory_usage"]))].map(
    (value) => readFigure(value).value,
  );
  return used.every((bytes) => bytes === null) || used.some((bytes) => bytes !== null && bytes > 0);
};

const listPids = (row: Row | undefined): readonly number[] | null => {
  const list = row?.["process_list"];
  if (!Array.isArray(list)) return null;
  return list.flatMap((entry) => {
    const process = processSchema.safeParse(entry).data?.process_info;
    return process === undefined || !isUsing(process) ? [] : [process.pid];
  });
};

const nameDevice = (row: Row, rows: readonly Row[]): string | null => {
  const nodes = rows.map(({ node_id: node }) => readFigure(node).value);
  const own = readFigure(row["node_id"]).value;
  if (own === null || nodes.includes(null) || new Set(nodes).size < nodes.length) return null;
  return String(nodes.filter((node) => node !== null && node < own).length);
};

const readFigures = (row: Row, rows: readonly Row[], metric: Row | undefined, asic: unknown): AmdFigures => {
  const [memory, usage] = [toObject(metric?.["mem_usage"]), toObject(metric?.["usage"])];
  const [heat, power] = [toObject(metric?.["temperature"]), toObject(metric?.["power"])];
  const edge = readFigure(heat["edge"]);
  return {
    ...{ index: row.gpu, uuid: toText(row["uuid"]), deviceId: nameDevice(row, rows) },
    name: toText(toObject(asic)["market_name"]),
    ...{ memoryTotal: readMemory(memory["total_vram"], 1), memoryUsed: readMemory(memory["used_vram"], 1) },
    utilization: readFigure(usage["gfx_activity"]),
    temperature: edge.value === null ? readFigure(heat["hotspot"]) : edge,
    powerDraw: readFigure(power["socket_power"]),
  };
};

/**
 * What `amd-smi` at a path says of the GPUs. A process counts where it has memory: older versions list each under every GPU
 * (https://github.com/ROCm/rocm-systems/pull/8396). ROCr numbers GPUs by their nodes.
 */
export const lookByAmdSmi = async (ask: Ask, path: string): Promise<GpuReading> => {
  const list = await askForJson(ask, [path, "list", "--json"]);
  if (!list.ok) return list;
  const metric = await askForJson(ask, [path, "metric", "--json"]);
  if (!metric.ok) return metric;
  const asic = await askForJson(ask, [path, "static", "--asic", "--json"]);
  const processes = await askForJson(ask, [path, "process", "--json"]);
  const rows = listRows(list.value);
  const [metrics, asics] = [byIndex(metric.value), byIndex(asic.ok ? asic.value : [])];
  const running = byIndex(processes.ok ? processes.value : []);
  if (rows.length === 0) return err({ message: `${path} names no GPU` });
  const make = (row: Row): Gpu =>
    makeAmdGpu(
      readFigures(row, rows, metrics.get(row.gpu), asics.get(row.gpu)?.["asic"]),
      listPids(running.get(row.gpu)),
    );
  return ok(rows.map(make).toSorted((a, b) => a.index - b.index));
};
