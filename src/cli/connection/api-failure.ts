import type { Result } from "../../base/result.ts";
import type { Failure } from "../../command-line/command.ts";

/** `code` is the server's error code, `NOT_LISTENING` when there is no server or no connection, `UNTRUSTED` when nothing was sent to
 * who listens there, `OTHER_VERSION` when one of the two is too old, null when it did not answer as a server. */
export type ApiFailure = Failure & Readonly<{ code: string | null }>;
export type ApiResult<Value> = Promise<Result<Value, ApiFailure>>;

export const NOT_LISTENING = "NOT_LISTENING";
export const UNTRUSTED = "UNTRUSTED";
export const OTHER_VERSION = "OTHER_VERSION";
