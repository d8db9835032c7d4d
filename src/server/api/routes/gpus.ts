import { z } from "zod";
import { err, ok } from "../../../base/result.ts";
import { blacklistChangeSchema, faultChangeSchema, type WireGpu, wireGpuSchema } from "../../../wire/gpu.ts";
import type { Caller } from "../../changes/context.ts";
import { seeGpus } from "../../changes/read-reserves.ts";
import type { Gpu, GpuProbe } from "../../core/queue/gpu.ts";
import { isFaultOf } from "../../core/queue/gpu-fault.ts";
import type { GpuState } from "../../core/queue/gpu-selection.ts";
import { isReserved } from "../../core/queue/reservations/reservation.ts";
import { toGpuReservation } from "../../core/queue/reservations/wire-reservation.ts";
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

const faultSpec = {
  method: "delete",
  path: "/v1/gpus/{index}/fault",
  tags: ["gpus"],
  summary: "Give a GPU to jobs again that the log of a job spoke against",
  description: "What the driver itself says against the GPU stays.",
  params: { index },
  responses: {
    200: describeJson("What changed", faultChangeSchema),
    ...describeErrors("GPU_NOT_FOUND", "VALIDATION_ERROR"),
  },
} satisfies RouteSpec;

const toWireGpu = (gpu: GpuState, isMock: boolean): WireGpu => ({
  index: gpu.index,
  name: gpu.name,
  memory_total: gpu.memoryTotal,
  memory_used: gpu.memoryUsed,
  process_count: gpu.processes.length,
  is_blacklisted: gpu.isBlacklisted,
  running_job_id: gpu.runningJobId,
  job_ids: gpu.tenants.map(({ id }) => id),
  vram_booked_mib: gpu.tenants.reduce((sum, { bookedMib }) => sum + (bookedMib ?? 0), 0),
  uuid: gpu.uuid,
  utilization: gpu.utilization,
  temperature: gpu.temperature,
  power_draw: gpu.powerDraw,
  is_mock: isMock,
  fault: gpu.fault,
  unseen_use: gpu.unseenUse,
  doubt: gpu.doubt,
  is_reserved: isReserved(gpu),
  reservations: (gpu.reserves ?? []).map(({ reservation }) => toGpuReservation(reservation)),
});

const list =
  (context: ApiContext): Handle<typeof listSpec> =>
  async () => {
    const { gpus } = context;
    const reading = await gpus.read();
    const active = context.store.loadActiveJobs();
    const states = seeGpus(context, { gpus: reading.ok ? reading.value : [], active, now: context.clock() });
    const byIndex = [...states].sort((left, right) => left.index - right.index);
    return ok(Response.json(byIndex.map((state) => toWireGpu(state, gpus.isMock))));
  };

const findGpu = async (gpus: GpuProbe, index: number): Promise<Gpu | undefined> => {
  const reading = await gpus.read();
  return reading.ok ? reading.value.find((gpu) => gpu.index === index) : undefined;
};

const isKnown = async ({ gpus, store }: ApiContext, index: number, blacklisted: boolean): Promise<boolean> =>
  (!blacklisted && store.listBlacklist().has(index)) || (await findGpu(gpus, index)) !== undefined;

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

const clearFault =
  ({ gpus, store, wakes }: ApiContext): Handle<typeof faultSpec> =>
  async ({ request, params }) => {
    const gpu = await findGpu(gpus, params.index);
    const known = gpu ?? { index: params.index, uuid: null };
    const faults = store.listGpuFaults().filter((fault) => isFaultOf(fault, known));
    if (gpu === undefined && faults.length === 0) return err(createUnknownGpu(params.index));
    const written = await store.write((transaction) => {
      for (const { gpuIdx } of faults) transaction.deleteGpuFault(gpuIdx);
    });
    if (!written.ok) return err(createUnavailable(written.error));
    if (faults.length > 0) {
      const { log, name } = readCaller(request);
      log.info("fault cleared", { gpu: params.index, reason: `asked for by ${name}` });
      wakes.queues();
    }
    return ok(Response.json({ gpu_idx: params.index, changed: faults.length > 0 }));
  };

export const createGpuRoutes = (context: ApiContext): readonly Route[] => [
  defineRoute(listSpec, list(context)),
  defineRoute(describeBlacklist("put", "Give a GPU to no job"), change(context, true)),
  defineRoute(describeBlacklist("delete", "Give a GPU to jobs again"), change(context, false)),
  defineRoute(faultSpec, clearFault(context)),
];
