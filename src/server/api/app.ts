import { OpenAPIHono } from "@hono/zod-openapi";
import { VERSION_HEADER } from "../../base/version.ts";
import { CLOSE_CODES } from "../../wire/attach.ts";
import { createRefusal, createUnavailable, isUnavailable, type Unavailable } from "../core/refusal.ts";
import type { Log } from "../core/telemetry/log.ts";
import { createAccessGuard, createCrowdGuard, createShutdownGuard } from "./access/access-guard.ts";
import { createSeats, type Seats } from "./access/seats.ts";
import type { Dispatch } from "./agents/ask-server.ts";
import type { ApiContext, AppEnv, Peer } from "./context.ts";
import type { OpenApiDocument } from "./http/docs-page.ts";
import { respondRefusal } from "./http/error-response.ts";
import { createViewingRooms, type ViewingRooms } from "./live/viewing-rooms.ts";
import { mountRoutes } from "./mount-routes.ts";
import { createRequestObserver } from "./observe-request.ts";
import type { Route } from "./route.ts";
import { createArtifactRoutes } from "./routes/artifacts.ts";
import { createAttachRoute } from "./routes/attach.ts";
import { createBatchRoutes } from "./routes/batches.ts";
import { createDeliveryRoute } from "./routes/deliveries.ts";
import { createDocumentationRoutes } from "./routes/documentation.ts";
import { createDrainRoutes } from "./routes/drain.ts";
import { createEventRoute } from "./routes/events.ts";
import { createGpuRoutes } from "./routes/gpus.ts";
import { createJobChangeRoutes } from "./routes/job-changes.ts";
import { createJobCodeRoutes } from "./routes/job-code.ts";
import { createJobFileRoutes } from "./routes/job-files.ts";
import { createJobLogRoutes } from "./routes/job-logs.ts";
import { createJobUseRoute } from "./routes/job-use.ts";
import { createJobWaitRoute } from "./routes/job-wait.ts";
import { createJobRoutes } from "./routes/jobs.ts";
import { createAgentRoute } from "./routes/mcp.ts";
import { createMetricsRoute } from "./routes/metrics.ts";
import { createNotificationRoute } from "./routes/notifications.ts";
import { createReservationRoutes } from "./routes/reservations.ts";
import { createServerRoutes } from "./routes/server.ts";
import { createSshKeyRoute } from "./routes/ssh-key.ts";
import { createUsageRoutes } from "./routes/usage.ts";

/** `close` ends what would go on for ever: terminals and event streams. */
export type App = Readonly<{
  fetch: (request: Request, peer: Peer) => Response | Promise<Response>;
  close: () => void;
}>;

const createDocument = (hono: OpenAPIHono<AppEnv>, version: string): OpenApiDocument => {
  hono.openAPIRegistry.registerComponent("securitySchemes", "bearer", { type: "http", scheme: "bearer" });
  return hono.getOpenAPI31Document({
    openapi: "3.1.0",
    info: { title: "Nexus", version, description: "Queues jobs and runs them on the GPUs of one server." },
    security: [{ bearer: [] }],
  });
};

type Shared = Readonly<{ rooms: ViewingRooms; seats: Seats; document: () => OpenApiDocument; dispatch: Dispatch }>;

const listJobRoutes = (context: ApiContext): readonly Route[] => [
  ...createBatchRoutes(context),
  ...createJobRoutes(context),
  ...createJobChangeRoutes(context),
  createJobUseRoute(context),
  createJobWaitRoute(context),
  ...createJobCodeRoutes(context),
  ...createJobLogRoutes(context),
  ...createJobFileRoutes(context),
];

const listRoutes = (context: ApiContext, { rooms, seats, document, dispatch }: Shared): readonly Route[] => [
  ...createServerRoutes(context),
  ...createDrainRoutes(context),
  ...createGpuRoutes(context),
  ...createReservationRoutes(context),
  ...createArtifactRoutes(context),
  ...listJobRoutes(context),
  createDeliveryRoute(context),
  createAttachRoute(context, rooms, seats),
  createEventRoute(context),
  createNotificationRoute(context),
  createSshKeyRoute(context),
  ...createUsageRoutes(context),
  createAgentRoute(context, dispatch),
  createMetricsRoute(context),
  ...createDocumentationRoutes(document),
];

const answerUnavailable = (log: Log, error: Unavailable): Response => {
  log.error("database can't be read", { message: error.message });
  return respondRefusal(createUnavailable(error));
};

const answerError = (log: Log, error: unknown): Response => {
  if (isUnavailable(error)) return answerUnavailable(log, error);
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  log.error("request failed", { error: text });
  return respondRefusal(createRefusal("UNAVAILABLE", "The server could not do this; its log says why"));
};

const createHono = (context: ApiContext, rooms: ViewingRooms): OpenAPIHono<AppEnv> => {
  const hono = new OpenAPIHono<AppEnv>();
  const { limits } = context.settings;
  const seats = createSeats(limits);
  const guards = [createAccessGuard(context), createShutdownGuard(context), createCrowdGuard(context, seats)];
  hono.use(createRequestObserver(context), ...guards);
  const document = (): OpenApiDocument => createDocument(hono, context.settings.version);
  const dispatch: Dispatch = (request, peer) => hono.fetch(request, { peer });
  mountRoutes(hono, listRoutes(context, { rooms, seats, document, dispatch }), {
    seats,
    bodyTimeoutS: limits.bodyTimeout,
  });
  hono.notFound(({ req }) => respondRefusal(createRefusal("NOT_FOUND", `There is nothing at ${req.path}`)));
  hono.onError((error, request) => answerError(request.get("log"), error));
  return hono;
};

const answer = async (
  context: ApiContext,
  hono: OpenAPIHono<AppEnv>,
  request: Request,
  peer: Peer,
): Promise<Response> => {
  try {
    return await hono.fetch(request, { peer });
  } catch (error) {
    return answerError(context.log, error);
  }
};

export const createApp = (context: ApiContext): App => {
  const rooms = createViewingRooms();
  const hono = createHono(context, rooms);
  return {
    fetch: async (request, peer) => {
      const response = await answer(context, hono, request, peer);
      response.headers.set("X-Content-Type-Options", "nosniff");
      response.headers.set(VERSION_HEADER, context.settings.version);
      return response;
    },
    close: () => {
      rooms.closeAll(CLOSE_CODES.leaving, "the server is stopping");
      context.feed.close();
    },
  };
};
