import { FAILED, NO_SUCH_THING, REFUSED, WRONG_STATE, WRONG_USAGE } from "../../../command-line/usage.ts";
import type { ErrorCode } from "../../../wire/error.ts";

/** The one place that says with which exit code what the server refuses is told. */
export const EXIT_CODE_OF_ERROR: Readonly<Record<ErrorCode, number>> = {
  INVALID_REQUEST: WRONG_USAGE,
  INVALID_JOB_STATE: WRONG_STATE,
  AUTHENTICATION_REQUIRED: REFUSED,
  INVALID_CREDENTIALS: REFUSED,
  FORBIDDEN: REFUSED,
  FORBIDDEN_ORIGIN: REFUSED,
  JOB_NOT_FOUND: NO_SUCH_THING,
  GPU_NOT_FOUND: NO_SUCH_THING,
  RESERVATION_NOT_FOUND: NO_SUCH_THING,
  ARTIFACT_NOT_FOUND: WRONG_STATE,
  NOT_FOUND: NO_SUCH_THING,
  METHOD_NOT_ALLOWED: FAILED,
  REQUEST_TIMEOUT: FAILED,
  PAYLOAD_TOO_LARGE: WRONG_USAGE,
  UNSUPPORTED_MEDIA_TYPE: FAILED,
  RANGE_NOT_SATISFIABLE: FAILED,
  JOB_EXISTS: WRONG_STATE,
  GPU_RESERVED: WRONG_STATE,
  LIMIT_REACHED: REFUSED,
  VALIDATION_ERROR: WRONG_USAGE,
  TOO_MANY_REQUESTS: REFUSED,
  GPU_ERROR: WRONG_STATE,
  UNAVAILABLE: FAILED,
};

const EXIT_CODE_OF_STATUS: Readonly<Record<number, number>> = {
  400: WRONG_USAGE,
  401: REFUSED,
  403: REFUSED,
  404: NO_SUCH_THING,
  409: WRONG_STATE,
  413: WRONG_USAGE,
  422: WRONG_USAGE,
  429: REFUSED,
};

const isKnown = (code: string): code is ErrorCode => Object.hasOwn(EXIT_CODE_OF_ERROR, code);

/** Of an answer that is none of a Nexus server: only a refusal is one whoever gives it. */
export const judgeStatus = (status: number): number => (status === 401 || status === 403 ? REFUSED : FAILED);

/** An error code that this client doesn't know is judged by its status. */
export const judgeRefusal = (code: string, status: number): number =>
  isKnown(code) ? EXIT_CODE_OF_ERROR[code] : (EXIT_CODE_OF_STATUS[status] ?? FAILED);
