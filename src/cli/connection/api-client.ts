import { describeError } from "../../base/describe-error.ts";
import { err, ok, type Result } from "../../base/result.ts";
import { USER_AGENT, VERSION, VERSION_HEADER } from "../../base/version.ts";
import type { Failure } from "../../command-line/command.ts";
import { FAILED, REFUSED, UNREACHABLE } from "../../command-line/usage.ts";
import type { WireError } from "../../wire/error.ts";
import type { ServerStatus } from "../../wire/node.ts";
import { readOption } from "../settings/config-file.ts";
import type { SshAddress } from "../targets/ssh-place.ts";
import { LOCAL, type Target } from "../targets/target.ts";

/** `code` is the server's error code, `NOT_LISTENING` when there is no server or no connection, `OTHER_VERSION` when one of
 * the two is too old, null when it did not answer as a server. */
export type ApiFailure = Failure & Readonly<{ code: string | null }>;
export type ApiResult<Value> = Promise<Result<Value, ApiFailure>>;

export type Api = Readonly<{
  target: Target;
  get: <Value>(path: string) => ApiResult<Value>;
  send: <Value>(method: "POST" | "PATCH" | "PUT" | "DELETE", path: string, body?: unknown) => ApiResult<Value>;
  upload: <Value>(path: string, body: Blob | ReadableStream<Uint8Array>, mediaType?: string) => ApiResult<Value>;
  stream: (path: string, signal: AbortSignal) => ApiResult<ReadableStream<Uint8Array>>;
  open: (path: string, signal: AbortSignal) => ApiResult<Response>;
}>;

const UNAVAILABLE = 503;
const TAR = "application/x-tar";
const SILENCE_MS = 5_000;
const NOT_LISTENING = "NOT_LISTENING";
const OTHER_VERSION = "OTHER_VERSION";

type Attempt = Readonly<{ path: string; init: RequestInit }>;
type Limit = () => AbortSignal;
type Line = Readonly<{
  target: Target;
  start: () => Promise<Result<void, Failure>>;
  limit: Limit | null;
  seen: { version: string | null };
}>;

const describeRemoteTrouble = async (target: Target, error: unknown): Promise<ApiFailure> => {
  const { explainTrouble } = await import("./connection-trouble.ts");
  const trouble = await explainTrouble(target, error);
  return { ...trouble, code: null };
};

const isRefusal = (status: number): boolean => status === 401 || status === 403;

const describeStranger = ({ status }: Response): ApiFailure => ({
  exitCode: FAILED,
  code: null,
  message: `the server answered ${status}, not as a Nexus server would`,
});

const nameRequest = ({ headers, status }: Response): string | null => {
  const id = headers.get("x-request-id");
  return status === UNAVAILABLE && id !== null ? `request ${id}` : null;
};

const describeRefusal = async (response: Response): Promise<ApiFailure> => {
  const text = await response.text();
  const exitCode = isRefusal(response.status) ? REFUSED : FAILED;
  try {
    const { error, message, hint } = JSON.parse(text) as WireError;
    const note = hint ?? nameRequest(response);
    return { exitCode, code: error, message: note === null ? message : `${message} (${note})` };
  } catch {
    return { ...describeStranger(response), exitCode };
  }
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

const fetchInTime = async (target: Target, { path, init }: Attempt): Promise<Response> => {
  const tls = target.tls === null ? {} : { tls: target.tls };
  const unix = target.socket === null ? {} : { unix: target.socket };
  const waiting = new AbortController();
  const signal = AbortSignal.any([waiting.signal, ...(init.signal ? [init.signal] : [])]);
  const timer = setTimeout(() => void giveUpIfGone(target, waiting), SILENCE_MS);
  try {
    return await fetch(target.baseUrl + path, { ...init, ...tls, ...unix, signal });
  } finally {
    clearTimeout(timer);
  }
};

const tryFetch = async (target: Target, { path, init }: Attempt): ApiResult<Response> => {
  const headers = new Headers(init.headers);
  headers.set("user-agent", USER_AGENT);
  const user = nameUser(target);
  if (user !== "") headers.set("x-nexus-user", encodeURIComponent(user.toWellFormed()));
  if (target.token !== null) headers.set("authorization", `Bearer ${target.token}`);
  try {
    return ok(await fetchInTime(target, { path, init: { ...init, headers, redirect: "manual" } }));
  } catch (error) {
    const isLocal = target.name === LOCAL || (target.ssh !== null && isAbsent(error));
    return err(isLocal ? describeUnreachable(target, error) : await describeRemoteTrouble(target, error));
  }
};

const startLocal = async (baseUrl: string): Promise<Result<void, Failure>> => {
  const { startLocalServer } = await import("./local-server.ts");
  return startLocalServer(baseUrl);
};

const connectBySsh = async (ssh: SshAddress, target: Target): Promise<Result<void, Failure>> => {
  const { openTunnel } = await import("./ssh-tunnel.ts");
  return openTunnel(ssh, target);
};

const createStarter = (target: Target): (() => Promise<Result<void, Failure>>) => {
  let starting: Promise<Result<void, Failure>> | null = null;
  const connect = (ssh: SshAddress) => connectBySsh(ssh, target).finally(() => (starting = null));
  return () => {
    starting ??= target.ssh === null ? startLocal(target.baseUrl) : connect(target.ssh);
    return starting;
  };
};

const canStart = ({ autostart, ssh }: Target, { init }: Attempt, { code, exitCode }: ApiFailure): boolean => {
  if (code === NOT_LISTENING) return autostart || ssh !== null;
  return ssh !== null && exitCode === UNREACHABLE && init.method === undefined;
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
  const status = await requestJson<Partial<ServerStatus> | null>(line, { path: "/v1/server/status", init: {} });
  if (!status.ok) return isFinal(status.error) ? status.error : null;
  line.seen.version ??= String(status.value?.server_version ?? VERSION);
  return refuseOther(line.seen.version);
};

const readVersion = (line: Line, response: Response): Promise<ApiFailure | null> => {
  line.seen.version = response.headers.get(VERSION_HEADER) ?? line.seen.version;
  return refuseOther(line.seen.version ?? VERSION);
};

const request = async (line: Line, attempt: Attempt): ApiResult<Response> => {
  const isBlind = attempt.init.method !== undefined && line.seen.version === null;
  const refusal = isBlind ? await askVersion(line) : null;
  if (refusal !== null) return err(refusal);
  const response = await reach(line, attempt);
  const other = response.ok ? await readVersion(line, response.value) : null;
  if (other !== null) return err(other);
  if (!response.ok || response.value.ok) return response;
  const refused = await describeRefusal(response.value);
  return err(typeof refused.message === "string" ? refused : describeStranger(response.value));
};

const reach = async ({ target, start }: Line, attempt: Attempt): ApiResult<Response> => {
  const first = await tryFetch(target, attempt);
  const started = !first.ok && canStart(target, attempt, first.error) ? await start() : null;
  if (started !== null && !started.ok) return err({ ...started.error, code: null });
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
    open: (path, signal) => request(line, { path, init: { signal } }),
  };
};
