import type { ErrorCode, WireError } from "../../../wire/error.ts";
import type { Refusal } from "../../core/refusal.ts";

export const STATUS_OF_ERROR: Readonly<Record<ErrorCode, number>> = {
  INVALID_REQUEST: 400,
  INVALID_JOB_STATE: 400,
  AUTHENTICATION_REQUIRED: 401,
  INVALID_CREDENTIALS: 401,
  FORBIDDEN: 403,
  FORBIDDEN_ORIGIN: 403,
  LIMIT_REACHED: 403,
  JOB_NOT_FOUND: 404,
  GPU_NOT_FOUND: 404,
  RESERVATION_NOT_FOUND: 404,
  ARTIFACT_NOT_FOUND: 404,
  NOT_FOUND: 404,
  METHOD_NOT_ALLOWED: 405,
  REQUEST_TIMEOUT: 408,
  PAYLOAD_TOO_LARGE: 413,
  UNSUPPORTED_MEDIA_TYPE: 415,
  RANGE_NOT_SATISFIABLE: 416,
  JOB_EXISTS: 409,
  GPU_RESERVED: 409,
  VALIDATION_ERROR: 422,
  TOO_MANY_REQUESTS: 429,
  GPU_ERROR: 500,
  UNAVAILABLE: 503,
};

const LIMIT_RETRY_AFTER = "60";

const EXTRA_HEADERS: Readonly<Record<number, Readonly<Record<string, string>>>> = {
  401: { "WWW-Authenticate": "Bearer" },
  408: { Connection: "close" },
  429: { "Retry-After": "5" },
  503: { "Retry-After": "5" },
};

export const respondRefusal = (
  { code, message, detail, hint, reached }: Refusal,
  headers: Readonly<Record<string, string>> = {},
): Response => {
  const status = STATUS_OF_ERROR[code];
  const body: WireError = {
    error: code,
    message,
    status_code: status,
    ...(detail === undefined ? {} : { detail: [...detail] }),
    ...(hint === undefined ? {} : { hint }),
    ...reached,
  };
  const wait = reached === undefined ? {} : { "Retry-After": LIMIT_RETRY_AFTER };
  return Response.json(body, { status, headers: { ...EXTRA_HEADERS[status], ...wait, ...headers } });
};
