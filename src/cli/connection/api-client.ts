import { describeError } from "../../base/describe-error.ts";
import { err, ok, type Result } from "../../base/result.ts";
import { USER_AGENT, VERSION, VERSION_HEADER } from "../../base/version.ts";
import type { Failure } from "../../command-line/command.ts";
import { REFUSED, UNREACHABLE } from "../../command-line/usage.ts";
import type { ServerStatus } from "../../wire/node.ts";
import { readOption } from "../settings/config-file.ts";
import type { SshAddress } from "../targets/ssh-place.ts";
import { LOCAL, type Target } from "../targets/target.ts";
import { type ApiFailure, type ApiResult, NOT_LISTENING, OTHER_VERSION } from "./api-failure.ts";
import { describeRefusal, describeStranger } from "./refusals/refusal.ts";
import { openWay, type Way } from "./way.ts";

export type Api = Readonly<{
  target: Target;
  get: <Value>(path: string) => ApiResult<Value>;
  send: <Value>(method: "POST" | "PATCH" | "PUT" | "DELETE", path: string, body?: unknown) => ApiResult<Value>;
  upload: <Value>(path: string, body: Blob | ReadableStream<Uint8Array>, mediaType?: string) => ApiResult<Value>;
  stream: (path: string, signal: AbortSignal) => ApiResult<ReadableStream<Uint8Array>>;
  open: (path: string, signal: AbortSignal, headers?: Readonly<Record<string, string>>) => ApiResult<Response>;
}>;

const STATUS = "/v1/server/status";
const TAR = "application/x-tar";
const SILENCE_MS = 5_000;

type Attempt = Readonly<{ path: string; init: RequestInit }>;
type Limit = () => AbortSignal;
type Start = () => Promise<Result<void, ApiFailure>>;
type Line = Readonly<{
  target: Target;
  start: Start;
  limit: Limit | null;
  seen: { version: string | null };
}>;

const describeRemoteTrouble = async (target: Target, error: unknown): Promise<ApiFailure> => {
  const { explainTrouble } = await import("./connection-trouble.ts");
  const trouble = await explainTrouble(target, error);
  return { ...trouble, code: null };
};

const isAbsent = (error: unknown): boolean =>
  error instanceof Error && "code" in error && (error.code === "ECONNREFUSED" || error.code === "ENOENT");

const describeUnreachable = ({ name, address }: Target, error: unknown): ApiFailure => {
  const isListening = !isAbsent(error);
  const reason = isListening ? describeError(error) : "nothing listens there";
  return {
    exitCode: UNREACHABLE,
    code: isListening ? null : NOT_LISTENING,
    message: `the server "${name}" at ${address} can't be reached: ${reason}`,
  };
};

const nameUser = ({ config }: Target): string =>
  String(readOption(config, "user") || process.env["USER"] || process.env["LOGNAME"] || "");

const giveUpIfGone = async (target: Target, waiting: AbortController): Promise<void> => {
  const { isGone } = await import("./connection-trouble.ts");
  if (await isGone(target)) waiting.abort(Object.assign(new Error("no answer"), { code: "ETIMEDOUT" }));
};

const fetchInTime = async (target: Target, { options }: Way, { path, init }: Attempt): Promise<Response> => {
  const tls = target.tls === null ? {} : { tls: target.tls };
  const waiting = new AbortController();
  const signal = AbortSignal.any([waiting.signal, ...(init.signal ? [init.signal] : [])]);
  const timer = setTimeout(() => void giveUpIfGone(target, waiting), SILENCE_MS);
  try {
    return await fetch(target.baseUrl + path, { ...init, ...tls, ...options, signal });
  } finally {
    clearTimeout(timer);
  }
};

const addHeaders = (target: Target, init: RequestInit): RequestInit => {
  const headers = new Headers(init.headers);
  headers.set("user-agent", USER_AGENT);
  const user = nameUser(target);
  if (user !== "") headers.set("x-nexus-user", encodeURIComponent(user.toWellFormed()));
  if (target.token !== null) headers.set("authorization", `Bearer ${target.token}`);
  return { ...init, headers, redirect: "manual" };
};

const fetchBy = async (way: Way, target: Target, attempt: Attempt): Promise<Response> => {
  try {
    return await fetchInTime(target, way, attempt);
  } finally {
    way.close();
  }
};

const tryFetch = async (target: Target, { path, init }: Attempt): ApiResult<Response> => {
  try {
    const way = await openWay(target);
    return way.ok ? ok(await fetchBy(way.value, target, { path, init: addHeaders(target, init) })) : way;
  } catch (error) {
    const isLocal = target.name === LOCAL || (target.ssh !== null && isAbsent(error));
    return err(isLocal ? describeUnreachable(target, error) : await describeRemoteTrouble(target, error));
  }
};

const withoutCode = async (work: Promise<Result<void, Failure>>): ApiResult<void> => {
  const done = await work;
  return done.ok ? done : err({ ...done.error, code: null });
};

const hasMockGpus = async (target: Target): Promise<boolean> => {
  const status = await tryFetch(target, { path: STATUS, init: {} });
  return status.ok && status.value.ok && ((await status.value.json()) as Partial<ServerStatus>).mock === true;
};

const startLocal = async (target: Target): ApiResult<void> => {
  const { startLocalServer } = await import("./local-server.ts");
  const { locatePort } = await import("../targets/target-url.ts");
  return withoutCode(startLocalServer(target.socket ?? locatePort(target.baseUrl), () => hasMockGpus(target)));
};

const connectBySsh = async (ssh: SshAddress, target: Target): ApiResult<void> => {
  const { openTunnel } = await import("./ssh-tunnel.ts");
  return withoutCode(openTunnel(ssh, target));
};

const awaitInstalled: Start = async () => {
  const { awaitService } = await import("./service-state.ts");
  return awaitService();
};

const chooseStart = (target: Target): Start => {
  const { ssh, isInstalled } = target;
  if (ssh !== null) return () => connectBySsh(ssh, target);
  return isInstalled ? awaitInstalled : () => startLocal(target);
};

const isLasting = ({ ssh, isInstalled }: Target): boolean => ssh !== null || isInstalled;

const createStarter = (target: Target): Start => {
  const begin = chooseStart(target);
  let starting: ReturnType<Start> | null = null;
  const forget = (): void => {
    if (isLasting(target)) starting = null;
  };
  return () => {
    starting ??= begin().finally(forget);
    return starting;
  };
};

const canStart = (target: Target, { init }: Attempt, { code, exitCode }: ApiFailure): boolean => {
  if (code === NOT_LISTENING) return target.autostart || isLasting(target);
  return isLasting(target) && exitCode === UNREACHABLE && code === null && init.method === undefined;
};

const refuseOther = async (version: string): Promise<ApiFailure | null> => {
  if (version === VERSION) return null;
  const { refuseVersion } = await import("./server-version.ts");
  const refusal = refuseVersion(version);
  return refusal === null ? null : { ...refusal, code: OTHER_VERSION };
};

const isFinal = ({ code, exitCode }: ApiFailure): boolean =>
  code === OTHER_VERSION || exitCode === UNREACHABLE || exitCode === REFUSED;

const askVersion = async (line: Line): Promise<ApiFailure | null> => {
  const status = await requestJson<Partial<ServerStatus> | null>(line, { path: STATUS, init: {} });
  if (!status.ok) return isFinal(status.error) ? status.error : null;
  line.seen.version ??= String(status.value?.server_version ?? VERSION);
  return refuseOther(line.seen.version);
};

const readVersion = (line: Line, response: Response): Promise<ApiFailure | null> => {
  line.seen.version = response.headers.get(VERSION_HEADER) ?? line.seen.version;
  return refuseOther(line.seen.version ?? VERSION);
};

const requestOnce = async (line: Line, attempt: Attempt): ApiResult<Response> => {
  const isBlind = attempt.init.method !== undefined && line.seen.version === null;
  const refusal = isBlind ? await askVersion(line) : null;
  if (refusal !== null) return err(refusal);
  const response = await reach(line, attempt);
  const other = response.ok ? await readVersion(line, response.value) : null;
  if (other !== null) return err(other);
  if (!response.ok || response.value.ok) return response;
  return err(await describeRefusal(response.value));
};

const isStopping = async ({ target }: Line, { init }: Attempt, { code }: ApiFailure): Promise<boolean> => {
  if (!target.isInstalled || code !== "UNAVAILABLE" || init.body instanceof ReadableStream) return false;
  const { outlastRestart } = await import("./service-state.ts");
  return outlastRestart();
};

const request = async (line: Line, attempt: Attempt): ApiResult<Response> => {
  const answer = await requestOnce(line, attempt);
  return !answer.ok && (await isStopping(line, attempt, answer.error)) ? requestOnce(line, attempt) : answer;
};

const reach = async ({ target, start }: Line, attempt: Attempt): ApiResult<Response> => {
  const first = await tryFetch(target, attempt);
  const started = !first.ok && canStart(target, attempt, first.error) ? await start() : null;
  if (started !== null && !started.ok) return started;
  return started === null ? first : tryFetch(target, attempt);
};

const limitAttempt = ({ limit }: Line, { path, init }: Attempt): Attempt =>
  limit === null ? { path, init } : { path, init: { ...init, signal: limit() } };

const requestJson = async <Value>(line: Line, attempt: Attempt): ApiResult<Value> => {
  const response = await request(line, limitAttempt(line, attempt));
  if (!response.ok) return response;
  if (response.value.status === 204) return ok(null as Value);
  try {
    return ok((await response.value.json()) as Value);
  } catch {
    return err(describeStranger(response.value));
  }
};

const encode = (method: string, body: unknown): RequestInit =>
  body === undefined
    ? { method }
    : { method, headers: { "content-type": "application/json" }, body: JSON.stringify(body) };

const openStream = async (line: Line, attempt: Attempt): ApiResult<ReadableStream<Uint8Array>> => {
  const response = await request(line, attempt);
  return response.ok ? ok(response.value.body ?? new ReadableStream<Uint8Array>()) : response;
};

/** `limit` gives the signal that ends a request for JSON; without it Bun's own time limit holds. */
export const createApi = (target: Target, limit: Limit | null = null): Api => {
  const line = { target, start: createStarter(target), limit, seen: { version: null } };
  return {
    target,
    get: (path) => requestJson(line, { path, init: {} }),
    send: (method, path, body) => requestJson(line, { path, init: encode(method, body) }),
    upload: (path, body, mediaType = TAR) =>
      requestJson(line, { path, init: { method: "POST", headers: { "content-type": mediaType }, body } }),
    stream: (path, signal) => openStream(line, { path, init: { signal } }),
    open: (path, signal, headers = {}) => request(line, { path, init: { signal, headers } }),
  };
};
