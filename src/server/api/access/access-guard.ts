import { timingSafeEqual } from "node:crypto";
import type { MiddlewareHandler } from "hono";
import { digestText } from "../../../tools/digest.ts";
import { type AccessDenial, type Credential, decideAccess, type Source } from "../../core/access/access.ts";
import { isExpired } from "../../core/access/access-token.ts";
import { normalizeHost } from "../../core/access/server-hosts.ts";
import { createRefusal } from "../../core/refusal.ts";
import type { ApiContext, AppEnv, AppRequest, Peer } from "../context.ts";
import { respondRefusal } from "../http/error-response.ts";
import { countGuesser } from "./count-by.ts";
import { createGuessLimit, type GuessLimit, MAX_GUESSES } from "./guess-limit.ts";
import type { Seats } from "./seats.ts";

const BEARER = /^bearer +(.*\S) *$/i;
const OPEN_PATHS: ReadonlySet<string> = new Set(["/v1/health"]);
const READING_METHODS: ReadonlySet<string> = new Set(["GET", "HEAD"]);

const MIN_UNGUESSABLE_LENGTH = 32;

const isSameDigest = (digest: string, expected: string | null): boolean => {
  const bytes = Buffer.from(expected ?? "", "hex");
  const actual = Buffer.from(digest, "hex");
  return bytes.byteLength === actual.byteLength && timingSafeEqual(bytes, actual);
};

const judgeToken = ({ tokenDigest, store, clock }: ApiContext, token: string): Credential => {
  const digest = digestText(token);
  const isGuessable = token.length < MIN_UNGUESSABLE_LENGTH;
  if (isSameDigest(digest, tokenDigest())) return { kind: "token", name: null, role: "admin", isGuessable };
  const found = store.findToken(digest);
  if (found === null) return { kind: "wrong" };
  return isExpired(found, clock())
    ? { kind: "expired" }
    : { kind: "token", name: found.name, role: found.role, limits: found.limits ?? null, isGuessable };
};

const judgeCredential = (context: ApiContext, authorization: string | undefined): Credential => {
  if (authorization === undefined || authorization.trim() === "") return { kind: "absent" };
  const token = BEARER.exec(authorization)?.[1];
  return token === undefined ? { kind: "wrong" } : judgeToken(context, token);
};

const isReading = ({ req }: AppRequest): boolean => READING_METHODS.has(req.method);

const toSource = ({ address, localUser, holder = null }: Peer): Source =>
  localUser === undefined ? { kind: "network", address, holder } : { kind: "socket", ...localUser };

const isUnsure = (credential: Credential): boolean =>
  credential.kind === "token" ? credential.isGuessable : credential.kind !== "absent";

const noteGuess = (guesses: GuessLimit, request: AppRequest): void => {
  const whom = countGuesser(request);
  if (!guesses.note(whom)) return;
  request.get("log").warn("too many wrong tokens", { peer: whom, limit: MAX_GUESSES });
};

const refuse = (request: AppRequest, denial: AccessDenial, secondsLeft: number): Response => {
  request.set("refusal", denial.code);
  return respondRefusal(denial, secondsLeft > 0 ? { "Retry-After": String(secondsLeft) } : {});
};

type Entry = Readonly<{ serverHosts: ReadonlySet<string>; guesses: GuessLimit }>;

const gatherFacts = (context: ApiContext, request: AppRequest, serverHosts: ReadonlySet<string>) => ({
  isOpen: OPEN_PATHS.has(request.req.path) && isReading(request),
  source: toSource(request.env.peer),
  host: request.req.header("host") ?? null,
  origin: request.req.header("origin") ?? null,
  serverHosts,
  local: context.settings.local,
  credential: judgeCredential(context, request.req.header("authorization")),
});

const admit = (context: ApiContext, request: AppRequest, { serverHosts, guesses }: Entry): Response | null => {
  const known = gatherFacts(context, request, serverHosts);
  const secondsLeft = isUnsure(known.credential) ? guesses.secondsLeft(countGuesser(request)) : 0;
  const facts = { ...known, isGuessing: secondsLeft > 0 };
  const decision = decideAccess({ ...facts, asked: { act: "enter" } });
  request.set("facts", facts);
  if (decision.ok) {
    request.set("identity", decision.value);
    request.set("isStillLetIn", () => judgeCredential(context, request.req.header("authorization")).kind === "token");
    return null;
  }
  if (decision.error.code === "INVALID_CREDENTIALS") noteGuess(guesses, request);
  return refuse(request, decision.error, secondsLeft);
};

export const createAccessGuard = (context: ApiContext): MiddlewareHandler<AppEnv> => {
  const entry = {
    serverHosts: new Set(context.settings.allowedHosts.map(normalizeHost)),
    guesses: createGuessLimit(context.clock),
  };
  return async (request, next) => admit(context, request, entry) ?? next();
};

export const createShutdownGuard =
  ({ isStopping }: ApiContext): MiddlewareHandler<AppEnv> =>
  async (request, next) =>
    isStopping() && !isReading(request)
      ? respondRefusal(createRefusal("UNAVAILABLE", "The server is shutting down"))
      : next();

const tooMany = createRefusal("UNAVAILABLE", "The server answers as many requests as it takes; try again later");

/** Refuses what comes while too many requests are not answered to their last byte; whether the server is alive can always be asked. */
export const createCrowdGuard =
  ({ settings }: ApiContext, seats: Seats): MiddlewareHandler<AppEnv> =>
  async (request, next) => {
    const waiting = (request.env.peer.pendingRequests ?? 0) - seats.countFollowers();
    return waiting > settings.limits.maxRequests && !OPEN_PATHS.has(request.req.path)
      ? respondRefusal(tooMany, { Connection: "close" })
      : next();
  };
