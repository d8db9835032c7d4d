import { z } from "zod";
import { err, ok } from "../../../base/result.ts";
import { blacklistChangeSchema, type WireGpu, wireGpuSchema } from "../../../wire/gpu.ts";
import type { Caller } from "../../changes/context.ts";
import type { GpuProbe } from "../../core/queue/gpu.ts";
import { describeGpus, type GpuState } from "../../core/queue/gpu-selection.ts";
import { createInvalid, createRefusal, createUnavailable, type Refusal } from "../../core/refusal.ts";
import { readCaller } from "../access/caller.ts";
import type { ApiContext } from "../context.ts";
import { describeErrors, describeJson } from "../http/describe-response.ts";
import { defineRoute, type Handle, type Route, type RouteSpec } from "../route.ts";

const listSpec = {
  method: "get",
  path: "/v1/gpus",
  tags: ["gpus"],
  summary: "The GPUs of the server, by index",
  description: "Empty when they cannot be read; `gpu_error` of the server's status says why.",
  responses: { 200: describeJson("The GPUs", z.array(wireGpuSchema)) },
} satisfies RouteSpec;

const WHOLE_NUMBER = /^-?\d+$/;

const createUnknownGpu = (index: number | string): Refusal =>
  createRefusal("GPU_NOT_FOUND", `There is no GPU ${index}`);

const noIndex = createInvalid([
  { loc: ["path", "index"], msg: "A GPU's index is a whole number", type: "int_parsing" },
]);

const index = {
  schema: z.preprocess((text) => (WHOLE_NUMBER.test(String(text)) ? Number(text) : text), z.int()),
  refuse: (text: string) => (WHOLE_NUMBER.test(text) ? createUnknownGpu(text) : noIndex),
};

const describeBlacklist = (method: "put" | "delete", summary: string) => ({
  method,
  path: "/v1/gpus/{index}/blacklist",
  tags: ["gpus"],
  summary,
  params: { index },
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
  ({ gpus, store }: ApiContext): Handle<typeof listSpec> =>
  async () => {
    const reading = await gpus.read();
    const states = describeGpus(reading.ok ? reading.value : [], store.loadActiveJobs(), store.listBlacklist());
    const byIndex = [...states].sort((left, right) => left.index - right.index);
    return ok(Response.json(byIndex.map((state) => toWireGpu(state, gpus.isMock))));
  };

const hasGpu = async (gpus: GpuProbe, index: number): Promise<boolean> => {
  const reading = await gpus.read();
  return reading.ok && reading.value.some((gpu) => gpu.index === index);
};

const isKnown = async ({ gpus, store }: ApiContext, index: number, blacklisted: boolean): Promise<boolean> =>
  (!blacklisted && store.listBlacklist().has(index)) || (await hasGpu(gpus, index));

const announce = (
  { wakes }: ApiContext,
  { log, name }: Caller,
  change: Readonly<{ gpu: number; blacklisted: boolean }>,
): void => {
  log.info("blacklist changed", { ...change, reason: `asked for by ${name}` });
  wakes.queues();
};

const change =
  (context: ApiContext, blacklisted: boolean): Handle<ReturnType<typeof describeBlacklist>> =>
  async ({ request, params }) => {
    const gpu = params.index;
    if (!(await isKnown(context, gpu, blacklisted))) return err(createUnknownGpu(gpu));
    const changed = await context.store.write((transaction) => transaction.setBlacklisted(gpu, blacklisted));
    if (!changed.ok) return err(createUnavailable(changed.error));
    if (changed.value) announce(context, readCaller(request), { gpu, blacklisted });
    return ok(Response.json({ gpu_idx: gpu, blacklisted, changed: changed.value }));
  };

export const createGpuRoutes = (context: ApiContext): readonly Route[] => [
  defineRoute(listSpec, list(context)),
  defineRoute(describeBlacklist("put", "Give a GPU to no job"), change(context, true)),
  defineRoute(describeBlacklist("delete", "Give a GPU to jobs again"), change(context, false)),
];
