import { describeError } from "../shared/describe-error.ts";
import type { WireError } from "../shared/error.ts";
import { err, ok, type Result } from "../shared/result.ts";
import { readOption } from "./config-file.ts";
import { FAILED, REFUSED, UNREACHABLE } from "./failure.ts";
import { LOCAL, type Target } from "./target.ts";
import type { Failure } from "./verb.ts";

/** `code` is the server's error code, `NOT_LISTENING` when there is none, null when it did not answer as one. */
export type ApiFailure = Failure & Readonly<{ code: string | null }>;
export type ApiResult<Value> = Promise<Result<Value, ApiFailure>>;

export type Api = Readonly<{
  target: Target;
  get: <Value>(path: string) => ApiResult<Value>;
  send: <Value>(method: "POST" | "PATCH" | "PUT" | "DELETE", path: string, body?: unknown) => ApiResult<Value>;
  upload: <Value>(path: string, body: Blob | ReadableStream<Uint8Array>, mediaType?: string) => ApiResult<Value>;
  stream: (path: string, signal: AbortSignal) => ApiResult<ReadableStream<Uint8Array>>;
}>;

const UNAVAILABLE = 503;
const TAR = "application/x-tar";
const NOT_LISTENING = "NOT_LISTENING";

type Attempt = Readonly<{ path: string; init: RequestInit }>;
type Limit = () => AbortSignal;
type Line = Readonly<{ target: Target; start: () => Promise<Result<void, Failure>>; limit: Limit | null }>;

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

const describeUnreachable = ({ name, baseUrl }: Target, error: unknown): ApiFailure => {
  const isListening = !(error instanceof Error && "code" in error && error.code === "ECONNREFUSED");
  const reason = isListening ? describeError(error) : "nothing listens there";
  return {
    exitCode: UNREACHABLE,
    code: isListening ? null : NOT_LISTENING,
    message: `the server "${name}" at ${baseUrl} can't be reached: ${reason}`,
  };
};

const nameUser = ({ config }: Target): string =>
  String(readOption(config, "user") || process.env["USER"] || process.env["LOGNAME"] || "");

const tryFetch = async (target: Target, { path, init }: Attempt): ApiResult<Response> => {
  const headers = new Headers(init.headers);
  const user = nameUser(target);
  if (user !== "") headers.set("x-nexus-user", encodeURIComponent(user.toWellFormed()));
  if (target.token !== null) headers.set("authorization", `Bearer ${target.token}`);
  const tls = target.tls === null ? {} : { tls: target.tls };
  try {
    return ok(await fetch(`${target.baseUrl}${path}`, { ...init, ...tls, headers, redirect: "manual" }));
  } catch (error) {
    return err(target.name === LOCAL ? describeUnreachable(target, error) : await describeRemoteTrouble(target, error));
  }
};

const startLocal = async (baseUrl: string): Promise<Result<void, Failure>> => {
  const { startLocalServer } = await import("./local-server.ts");
  return startLocalServer(baseUrl);
};

const createStarter = (baseUrl: string): (() => Promise<Result<void, Failure>>) => {
  let starting: Promise<Result<void, Failure>> | null = null;
  return () => {
    starting ??= startLocal(baseUrl);
    return starting;
  };
};

const request = async ({ target, start }: Line, attempt: Attempt): ApiResult<Response> => {
  const first = await tryFetch(target, attempt);
  const isAbsent = !first.ok && first.error.code === NOT_LISTENING && target.autostart;
  const started = isAbsent ? await start() : null;
  if (started !== null && !started.ok) return err({ ...started.error, code: null });
  const response = started === null ? first : await tryFetch(target, attempt);
  if (!response.ok || response.value.ok) return response;
  const refusal = await describeRefusal(response.value);
  return err(typeof refusal.message === "string" ? refusal : describeStranger(response.value));
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
  const line = { target, start: createStarter(target.baseUrl), limit };
  return {
    target,
    get: (path) => requestJson(line, { path, init: {} }),
    send: (method, path, body) => requestJson(line, { path, init: encode(method, body) }),
    upload: (path, body, mediaType = TAR) =>
      requestJson(line, { path, init: { method: "POST", headers: { "content-type": mediaType }, body } }),
    stream: (path, signal) => openStream(line, { path, init: { signal } }),
  };
};
