import type { MiddlewareHandler } from "hono";
import { routePath } from "hono/route";
import { type Log, scopeLog } from "../core/telemetry/log.ts";
import type { RequestSample } from "../core/telemetry/meter.ts";
import { chooseRequestId } from "../core/telemetry/request-id.ts";
import { nameUser } from "./access/caller.ts";
import type { ApiContext, AppEnv, AppRequest } from "./context.ts";

const READING_METHODS: ReadonlySet<string> = new Set(["GET", "HEAD"]);
const CHANGING_METHODS: ReadonlySet<string> = new Set(["POST", "PUT", "PATCH", "DELETE"]);
const REFUSALS: ReadonlySet<number> = new Set([401, 403]);
const UNAVAILABLE = 503;
const LAST = -1;

const nameMethod = (method: string): string =>
  READING_METHODS.has(method) || CHANGING_METHODS.has(method) ? method : "other";

const nameRoute = (request: AppRequest): string => {
  const path = routePath(request, LAST);
  return path.endsWith("*") ? "other" : path.replaceAll(/:(\w+)(\{[^}]*\})?/g, "{$1}");
};

const chooseLevel = ({ method, status }: RequestSample): keyof Log => {
  if (status === UNAVAILABLE) return "warn";
  return CHANGING_METHODS.has(method) || REFUSALS.has(status) ? "info" : "debug";
};

const describeAsker = (request: AppRequest): Readonly<Record<string, unknown>> => {
  const identity = request.get("identity");
  const refusal = request.get("refusal");
  return {
    ...(identity === undefined ? {} : { user: nameUser(request), role: identity.role, via: identity.via }),
    ...(refusal === undefined ? {} : { refused: refusal }),
  };
};

const logRequest = (request: AppRequest, sample: RequestSample): void =>
  request.get("log")[chooseLevel(sample)]("request", {
    method: request.req.method,
    path: request.req.path,
    status: sample.status,
    duration_ms: Math.round(sample.seconds * 1e6) / 1000,
    peer: request.env.peer.address,
    ...describeAsker(request),
  });

/** Gives each request its id and its log, and tells of its end. What an answer streams is no part of its duration. */
export const createRequestObserver =
  ({ log, meter }: ApiContext): MiddlewareHandler<AppEnv> =>
  async (request, next) => {
    const startedAt = performance.now();
    const id = chooseRequestId(request.req.header("x-request-id") ?? null, () => crypto.randomUUID());
    request.set("log", scopeLog(log, { request_id: id }));
    await next();
    request.res.headers.set("X-Request-Id", id);
    const seconds = (performance.now() - startedAt) / 1000;
    const method = nameMethod(request.req.method);
    const sample = { method, route: nameRoute(request), status: request.res.status, seconds };
    meter.observeRequest(sample);
    logRequest(request, sample);
  };
