import { ok } from "../../../base/result.ts";
import { type Health, healthSchema, type ServerStatus, serverStatusSchema } from "../../../wire/node.ts";
import type { Identity } from "../../core/access/access.ts";
import { toWireJob } from "../../core/jobs/wire-job.ts";
import { describeDiskRoom, isDiskLow } from "../../core/machine/disk-room.ts";
import { scoreHealth } from "../../core/machine/health.ts";
import { readHostPart, sumHostParts } from "../../core/queue/booking/host-part.ts";
import { findDrain } from "../../core/queue/drain.ts";
import type { ApiContext } from "../context.ts";
import { describeErrors, describeJson } from "../http/describe-response.ts";
import { healthQuerySchema, statusQuerySchema } from "../http/query.ts";
import { defineRoute, type Route, type RouteSpec } from "../route.ts";

const statusSpec = {
  method: "get",
  path: "/v1/server/status",
  tags: ["server"],
  summary: "What the server has and does",
  description: "With `user` also what is to be told to that user.",
  query: statusQuerySchema,
  responses: { 200: describeJson("The status", serverStatusSchema), ...describeErrors("VALIDATION_ERROR") },
} satisfies RouteSpec;

const healthSpec = {
  method: "get",
  path: "/v1/health",
  tags: ["server"],
  summary: "Whether the server is alive, and how well it does",
  description: "Needs no token. Figures are cached unless `refresh` is true.",
  security: [],
  query: healthQuerySchema,
  responses: { 200: describeJson("The health", healthSchema), ...describeErrors("VALIDATION_ERROR") },
} satisfies RouteSpec;

const EXPIRING_SHOWN = 3;

const ALIVE: Health = { alive: true, status: null, score: null, disk: null, network: null, system: null };

const describeExpiring = ({ store }: ApiContext, user: string | undefined): Pick<ServerStatus, "expiring_files"> => {
  const { jobs, total } = user === undefined ? { jobs: [], total: 0 } : store.listExpiring(user, EXPIRING_SHOWN);
  const shown = jobs.map(toWireJob).map(({ id, outputs }) => ({ id, outputs }));
  return total === 0 ? {} : { expiring_files: { jobs: shown, total_jobs: total } };
};

const describeCaller = (identity: Identity | undefined): Pick<ServerStatus, "you"> =>
  identity === undefined || identity.name === null ? {} : { you: { name: identity.name, role: identity.role } };

const describeBooking = ({ store, settings }: ApiContext): Pick<ServerStatus, "booking"> => {
  if (settings.host === undefined) return {};
  const { cpus, memoryMib } = settings.host.whole;
  const booked = sumHostParts(store.loadActiveJobs().map(readHostPart));
  const memory = { memory_mib: memoryMib, memory_booked_mib: booked.memoryMib };
  return { booking: { cpus, cpus_booked: booked.cpus, ...memory, enforced: false } };
};

const readStatus = async (context: ApiContext, user: string | undefined): Promise<ServerStatus> => {
  const { store, gpus, settings, readDiskRoom } = context;
  const trouble = context.trouble.read();
  const [reading, disk] = await Promise.all([gpus.read(), readDiskRoom()]);
  const counts = store.countJobs();
  return {
    gpu_count: reading.ok ? reading.value.length : 0,
    queued_jobs: counts.queued,
    running_jobs: counts.starting + counts.running,
    completed_jobs: counts.completed + counts.failed + counts.killed,
    server_user: settings.serverUser,
    server_version: settings.version,
    node_name: settings.nodeName,
    mock: gpus.isMock,
    gpu_error: reading.ok ? null : reading.error.message,
    gpu_hint: gpus.readHint(),
    drain: findDrain(store.readDrains(), context.clock()),
    ...describeBooking(context),
    ...(isDiskLow(disk) ? { disk_error: describeDiskRoom(disk) } : {}),
    ...(trouble === null ? {} : { machine_error: trouble }),
    ...describeExpiring(context, user),
  };
};

const readHealth = async ({ health }: ApiContext, refresh: boolean, isKnown: boolean): Promise<Health> => {
  const { warnings, ...figures } = await health.read(refresh);
  const { score, status } = scoreHealth(figures);
  return { alive: true, status, score, ...figures, ...(warnings !== undefined && isKnown ? { warnings } : {}) };
};

export const createServerRoutes = (context: ApiContext): readonly Route[] => [
  defineRoute(statusSpec, async ({ request, query: { user } }) =>
    ok(Response.json({ ...(await readStatus(context, user)), ...describeCaller(request.get("identity")) })),
  ),
  defineRoute(healthSpec, async ({ request, query: { detailed, refresh } }) => {
    const isKnown = (request.get("identity")?.via ?? "nothing") !== "nothing";
    return ok(Response.json(detailed ? await readHealth(context, refresh, isKnown) : ALIVE));
  }),
];
