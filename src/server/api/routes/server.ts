import { type Health, healthSchema, type ServerStatus, serverStatusSchema } from "../../../wire/node.ts";
import { scoreHealth } from "../../core/machine/health.ts";
import type { ApiContext, AppRequest } from "../context.ts";
import { respondRefusal } from "../http/error-response.ts";
import { healthQuerySchema, readQuery } from "../http/query.ts";
import { describeErrors, describeJson, type Route, type RouteSpec } from "../route.ts";

const statusSpec: RouteSpec = {
  method: "get",
  path: "/v1/server/status",
  tags: ["server"],
  summary: "What the server has and does",
  responses: { 200: describeJson("The status", serverStatusSchema) },
};

const healthSpec: RouteSpec = {
  method: "get",
  path: "/v1/health",
  tags: ["server"],
  summary: "Whether the server is alive, and how well it does",
  description: "Needs no token. Figures are cached unless `refresh` is true.",
  security: [],
  request: { query: healthQuerySchema },
  responses: { 200: describeJson("The health", healthSchema), ...describeErrors("VALIDATION_ERROR") },
};

const ALIVE: Health = { alive: true, status: null, score: null, disk: null, network: null, system: null };

const readStatus = async ({ store, gpus, settings }: ApiContext): Promise<ServerStatus> => {
  const reading = await gpus.read();
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
  };
};

const readHealth = async ({ health }: ApiContext, refresh: boolean): Promise<Health> => {
  const { gpus, ...figures } = await health.read(refresh);
  const { score, status } = scoreHealth(figures);
  return { alive: true, status, score, ...figures, ...(gpus === undefined ? {} : { gpus }) };
};

const answerHealth =
  (context: ApiContext) =>
  async (request: AppRequest): Promise<Response> => {
    const query = readQuery(request, healthQuerySchema);
    if (!query.ok) return respondRefusal(query.error);
    return Response.json(query.value.detailed ? await readHealth(context, query.value.refresh) : ALIVE);
  };

export const createServerRoutes = (context: ApiContext): readonly Route[] => [
  { spec: statusSpec, handle: async () => Response.json(await readStatus(context)) },
  { spec: healthSpec, handle: answerHealth(context) },
];
