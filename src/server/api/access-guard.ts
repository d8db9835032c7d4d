import { createHash, timingSafeEqual } from "node:crypto";
import type { MiddlewareHandler } from "hono";
import { type AccessFacts, decideAccess, normalizeHost } from "../core/access.ts";
import type { ApiContext, AppEnv, AppRequest } from "./context.ts";
import { createFailure, respondFailure } from "./error-response.ts";
import type { Seats } from "./seats.ts";

const BEARER = /^bearer +(.*\S) *$/i;
const OPEN_PATHS: ReadonlySet<string> = new Set(["/v1/health"]);
const READING_METHODS: ReadonlySet<string> = new Set(["GET", "HEAD"]);

const matchesDigest = (token: string, digest: string | null): boolean => {
  const expected = Buffer.from(digest ?? "", "hex");
  const actual = createHash("sha256").update(token).digest();
  return expected.byteLength === actual.byteLength && timingSafeEqual(expected, actual);
};

const judgeToken = (authorization: string | undefined, readDigest: () => string | null): AccessFacts["token"] => {
  if (authorization === undefined || authorization.trim() === "") return "absent";
  const token = BEARER.exec(authorization)?.[1];
  return token !== undefined && matchesDigest(token, readDigest()) ? "right" : "wrong";
};

const isReading = ({ req }: AppRequest): boolean => READING_METHODS.has(req.method);

export const createAccessGuard = ({ settings, tokenDigest }: ApiContext): MiddlewareHandler<AppEnv> => {
  const serverHosts = new Set(settings.allowedHosts.map(normalizeHost));
  return async (request, next) => {
    const decision = decideAccess({
      isOpen: OPEN_PATHS.has(request.req.path) && isReading(request),
      peerAddress: request.env.peer.address,
      host: request.req.header("host") ?? null,
      origin: request.req.header("origin") ?? null,
      serverHosts,
      token: judgeToken(request.req.header("authorization"), tokenDigest),
    });
    return decision.ok ? next() : respondFailure(decision.error);
  };
};

export const createShutdownGuard =
  ({ isStopping }: ApiContext): MiddlewareHandler<AppEnv> =>
  async (request, next) =>
    isStopping() && !isReading(request)
      ? respondFailure(createFailure("UNAVAILABLE", "The server is shutting down"))
      : next();

const tooMany = createFailure("UNAVAILABLE", "The server answers as many requests as it takes; try again later");

/** Refuses what comes while too many requests are not answered to their last byte; whether the server is alive can always be asked. */
export const createCrowdGuard =
  ({ settings }: ApiContext, seats: Seats): MiddlewareHandler<AppEnv> =>
  async (request, next) => {
    const waiting = (request.env.peer.pendingRequests ?? 0) - seats.countFollowers();
    return waiting > settings.limits.maxRequests && !OPEN_PATHS.has(request.req.path)
      ? respondFailure(tooMany, { Connection: "close" })
      : next();
  };
