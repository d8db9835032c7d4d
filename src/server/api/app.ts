import { OpenAPIHono } from "@hono/zod-openapi";
import { CLOSE_CODES } from "../../shared/terminal.ts";
import type { Log } from "../core/ports.ts";
import { createAccessGuard, createShutdownGuard } from "./access-guard.ts";
import type { ApiContext, AppEnv, Peer } from "./context.ts";
import type { OpenApiDocument } from "./docs-page.ts";
import { createFailure, respondFailure } from "./error-response.ts";
import { createRequestObserver } from "./observe-request.ts";
import { mountRoutes, type Route } from "./route.ts";
import { createArtifactRoutes } from "./routes/artifacts.ts";
import { createAttachRoutes } from "./routes/attach.ts";
import { createDeliveryRoute } from "./routes/deliveries.ts";
import { createDocumentationRoutes } from "./routes/documentation.ts";
import { createEventRoutes } from "./routes/events.ts";
import { createGpuRoutes } from "./routes/gpus.ts";
import { createJobChangeRoutes } from "./routes/job-changes.ts";
import { createJobLogRoutes } from "./routes/job-logs.ts";
import { createJobWaitRoute } from "./routes/job-wait.ts";
import { createJobRoutes } from "./routes/jobs.ts";
import { createMetricsRoute } from "./routes/metrics.ts";
import { createServerRoutes } from "./routes/server.ts";
import { createViewingRooms, type ViewingRooms } from "./viewing-rooms.ts";

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

type Documented = Readonly<{ rooms: ViewingRooms; document: () => OpenApiDocument }>;

const listRoutes = (context: ApiContext, { rooms, document }: Documented): readonly Route[] => [
  ...createServerRoutes(context),
  ...createGpuRoutes(context),
  ...createArtifactRoutes(context),
  ...createJobRoutes(context),
  ...createJobChangeRoutes(context),
  createJobWaitRoute(context),
  ...createJobLogRoutes(context),
  createDeliveryRoute(context),
  ...createAttachRoutes(context, rooms),
  ...createEventRoutes(context),
  createMetricsRoute(context),
  ...createDocumentationRoutes(document),
];

const answerError = (log: Log, error: unknown): Response => {
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  log.error("request failed", { error: text });
  return respondFailure(createFailure("UNAVAILABLE", "The server could not do this; its log says why"));
};

const createHono = (context: ApiContext, rooms: ViewingRooms): OpenAPIHono<AppEnv> => {
  const hono = new OpenAPIHono<AppEnv>();
  hono.use(createRequestObserver(context), createAccessGuard(context), createShutdownGuard(context));
  mountRoutes(hono, listRoutes(context, { rooms, document: () => createDocument(hono, context.settings.version) }));
  hono.notFound(({ req }) => respondFailure(createFailure("NOT_FOUND", `There is nothing at ${req.path}`)));
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
      return response;
    },
    close: () => {
      rooms.closeAll(CLOSE_CODES.leaving, "the server is stopping");
      context.feed.close();
    },
  };
};
