import { readErrorCode } from "../../../base/error-code.ts";
import { err, ok, type Result } from "../../../base/result.ts";
import { USER_AGENT } from "../../../base/version.ts";
import { readBody } from "../../../tools/read-response.ts";
import type { DeliveryError } from "../../core/notices/courier.ts";

/** `name` is the service's, for messages. */
export type ServiceRequest = Readonly<{
  name: string;
  url: string;
  method?: "POST" | "PATCH" | "GET";
  headers?: Readonly<Record<string, string>>;
  body?: string | FormData | URLSearchParams;
}>;

const MAX_ANSWER_BYTES = 64 * 1024;
const TEMPORARY: ReadonlySet<number> = new Set([408, 425, 429]);
const FIRST_SERVER_ERROR = 500;
const MAX_HINT = 200;

const refuse = (message: string): Result<never, DeliveryError> =>
  err({ message, isFinal: true, isUncertain: false, retryAfterS: null });

const explainFailure = (name: string, error: unknown, signal: AbortSignal): DeliveryError => {
  const code = readErrorCode(error);
  const isRefused = /ConnectionRefused|ECONNREFUSED|ENOTFOUND|EAI_AGAIN|DNS|FailedToOpenSocket/i.test(code);
  const reason = signal.aborted ? "did not answer in time" : `can't be reached${code === "" ? "" : ` (${code})`}`;
  return { message: `${name} ${reason}`, isFinal: false, isUncertain: !isRefused, retryAfterS: null };
};

/** Seconds that a `Retry-After` asks for, given in seconds or as a date (RFC 9110, section 10.2.3). */
export const readRetryAfter = (value: string | null, nowMs: number): number | null => {
  if (value === null) return null;
  const seconds = /^\d+(\.\d+)?$/.test(value.trim()) ? Number(value) : (Date.parse(value) - nowMs) / 1000;
  return Number.isFinite(seconds) ? Math.max(0, seconds) : null;
};

const readHint = (text: string): string => {
  const said = /"(?:message|error|detail)"\s*:\s*"([^"]{1,200})"/.exec(text)?.[1] ?? text;
  const line = said.replaceAll(/[\p{Cc}\s]+/gu, " ").trim();
  return line === "" || line.startsWith("<") ? "" : `: ${line.slice(0, MAX_HINT)}`;
};

const explainAnswer = (name: string, response: Response, text: string): DeliveryError => {
  const { status, headers } = response;
  const isFinal = status < FIRST_SERVER_ERROR && !TEMPORARY.has(status);
  const retryAfterS = readRetryAfter(headers.get("retry-after"), Date.now());
  return {
    message: `${name} answered ${status}${readHint(text)}`,
    isFinal,
    isUncertain: status >= FIRST_SERVER_ERROR,
    retryAfterS: isFinal ? null : retryAfterS,
  };
};

const isWebAddress = (url: string): boolean => /^https?:$/.test(URL.parse(url)?.protocol ?? "");

/** The text of a 2xx answer, up to 64 KiB of it. Redirects are not followed. */
export const sendRequest = async (
  request: ServiceRequest,
  signal: AbortSignal,
): Promise<Result<string, DeliveryError>> => {
  const { name, url, method = "POST", headers = {}, body = null } = request;
  if (!isWebAddress(url)) return refuse(`the address of ${name} is not one of the web`);
  try {
    const sent = { "user-agent": USER_AGENT, ...headers };
    const response = await fetch(url, { method, headers: sent, body, signal, redirect: "manual" });
    const { text } = await readBody(response, MAX_ANSWER_BYTES);
    return response.ok ? ok(text) : err(explainAnswer(name, response, text));
  } catch (error) {
    return err(explainFailure(name, error, signal));
  }
};
