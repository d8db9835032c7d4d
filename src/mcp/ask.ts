import type { Result } from "../base/result.ts";

/** `code` is the server's, null where it did not answer as a server. `hint` says what to do where more is known than by the code. `facts` go with it. */
export type Trouble = Readonly<{
  code: string | null;
  message: string;
  hint?: string;
  facts?: Readonly<Record<string, unknown>>;
}>;
export type Answer<Value> = Promise<Result<Value, Trouble>>;

/** The HTTP interface of one server, as who asks may use it. */
export type Ask = Readonly<{
  get: <Value>(path: string) => Answer<Value>;
  send: <Value>(method: "POST" | "DELETE", path: string, body?: unknown) => Answer<Value>;
  stream: (path: string, signal: AbortSignal) => Answer<ReadableStream<Uint8Array>>;
}>;

export const WRONG_ARGUMENTS = "WRONG_ARGUMENTS";
export const NOT_CONFIRMED = "NOT_CONFIRMED";
