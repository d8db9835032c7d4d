import { z } from "zod";
import { blacklistChangeSchema, type WireGpu, wireGpuSchema } from "../../../wire/gpu.ts";
import type { Caller } from "../../changes/context.ts";
import type { GpuProbe } from "../../core/queue/gpu.ts";
import { describeGpus, type GpuState } from "../../core/queue/gpu-selection.ts";
import { createInvalid, createRefusal, createUnavailable } from "../../core/refusal.ts";
import { readCaller } from "../access/caller.ts";
import type { ApiContext, AppRequest } from "../context.ts";
import { respondRefusal } from "../http/error-response.ts";
import { describeErrors, describeJson, type Route, type RouteSpec } from "../route.ts";

const listSpec: RouteSpec = {
  method: "get",
  path: "/v1/gpus",
  tags: ["gpus"],
  summary: "The GPUs of the server, by index",
  description: "Empty when they cannot be read; `gpu_error` of the server's status says why.",
  responses: { 200: describeJson("The GPUs", z.array(wireGpuSchema)) },
};

const blacklistSpec = (method: "put" | "delete", summary: string): RouteSpec => ({
  method,
  path: "/v1/gpus/{index}/blacklist",
  tags: ["gpus"],
  summary,
  request: { params: z.object({ index: z.int() }) },
  responses: {
    200: describeJson("What changed", blacklistChangeSchema),
    ...describeErrors("GPU_NOT_FOUND", "VALIDATION_ERROR"),
  },
});

const toWireGpu = (gpu: GpuState, isMock: boolean): WireGpu => ({
  index: gpu.index,
  name: gpu.name,
  memory_total: gpu.memoryTotal,
  memory_used: gpu.memoryUsed,
  process_count: gpu.processes.length,
  is_blacklisted: gpu.isBlacklisted,
  running_job_id: gpu.runningJobId,
  uuid: gpu.uuid,
  utilization: gpu.utilization,
  temperature: gpu.temperature,
  power_draw: gpu.powerDraw,
  is_mock: isMock,
});

const list =
  ({ gpus, store }: ApiContext) =>
  async (): Promise<Response> => {
    const reading = await gpus.read();
    const states = describeGpus(reading.ok ? reading.value : [], store.loadActiveJobs(), store.listBlacklist());
    const byIndex = [...states].sort((left, right) => left.index - right.index);
    return Response.json(byIndex.map((state) => toWireGpu(state, gpus.isMock)));
  };

const hasGpu = async (gpus: GpuProbe, index: number): Promise<boolean> => {
  const reading = await gpus.read();
  return reading.ok && reading.value.some((gpu) => gpu.index === index);
};

const isKnown = async ({ gpus, store }: ApiContext, index: number, blacklisted: boolean): Promise<boolean> =>
  (!blacklisted && store.listBlacklist().has(index)) || (await hasGpu(gpus, index));

const refuseIndex = (): Response =>
  respondRefusal(
    createInvalid([{ loc: ["path", "index"], msg: "A GPU's index is a whole number", type: "int_parsing" }]),
  );

const announce = (
  { wakes }: ApiContext,
  { log, name }: Caller,
  change: Readonly<{ gpu: number; blacklisted: boolean }>,
): void => {
  log.info("blacklist changed", { ...change, reason: `asked for by ${name}` });
  wakes.queues();
};

const change =
  (context: ApiContext, blacklisted: boolean) =>
  async (request: AppRequest): Promise<Response> => {
    const text = request.req.param("index") ?? "";
    if (!/^-?\d+$/.test(text)) return refuseIndex();
    const index = Number(text);
    const isFound = Number.isSafeInteger(index) && (await isKnown(context, index, blacklisted));
    if (!isFound) return respondRefusal(createRefusal("GPU_NOT_FOUND", `There is no GPU ${text}`));
    const changed = await context.store.write((transaction) => transaction.setBlacklisted(index, blacklisted));
    if (!changed.ok) return respondRefusal(createUnavailable(changed.error));
    if (changed.value) announce(context, readCaller(request), { gpu: index, blacklisted });
    return Response.json({ gpu_idx: index, blacklisted, changed: changed.value });
  };

export const createGpuRoutes = (context: ApiContext): readonly Route[] => [
  { spec: listSpec, handle: list(context) },
  { spec: blacklistSpec("put", "Give a GPU to no job"), handle: change(context, true) },
  { spec: blacklistSpec("delete", "Give a GPU to jobs again"), handle: change(context, false) },
];
