import type { z } from "zod";
import { err, ok, type Result } from "../../../base/result.ts";
import { createRefusal, type Refusal } from "../../core/refusal.ts";
import { startBodyDeadline } from "./body-deadline.ts";

/** A body as the document shows it, and what it is read to; `timeoutS` seconds are given to it. */
export type RequestBody<Value> = Readonly<{
  content: Readonly<Record<string, Readonly<{ schema: z.ZodType }>>>;
  read: (request: Request, timeoutS: number) => Promise<Result<Value, Refusal>>;
}>;

/** `failure` answers what is larger. */
export type BodyLimit = Readonly<{ maxBytes: number; failure: Refusal }>;

const hungUp = createRefusal("INVALID_REQUEST", "The request's body ended too early");

const readWhole = async (request: Request): Promise<Result<Uint8Array, Refusal>> =>
  ok(new Uint8Array(await request.arrayBuffer()));

const collectChunks = async (
  body: ReadableStream<Uint8Array>,
  limit: BodyLimit,
): Promise<Result<Uint8Array, Refusal>> => {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.byteLength;
    if (size > limit.maxBytes) return err(limit.failure);
    chunks.push(chunk);
  }
  return ok(Buffer.concat(chunks));
};

/** The whole body, in `timeoutS` seconds. */
export const readBytes = async (
  request: Request,
  timeoutS: number,
  limit: BodyLimit,
): Promise<Result<Uint8Array, Refusal>> => {
  const declared = request.headers.get("content-length");
  if (declared !== null && Number(declared) > limit.maxBytes) return err(limit.failure);
  try {
    if (request.body === null) return ok(new Uint8Array());
    const bytes = declared === null ? collectChunks(request.body, limit) : readWhole(request);
    const inTime = await startBodyDeadline(timeoutS).wait(bytes, Number(declared));
    return inTime.ok ? inTime.value : inTime;
  } catch {
    return err(hungUp);
  }
};
