import type { z } from "zod";
import { err, ok, type Result } from "../../../base/result.ts";
import { createInvalid, createRefusal, type Refusal } from "../../core/refusal.ts";
import { startBodyDeadline } from "./body-deadline.ts";
import { refuseOversized } from "./oversized.ts";
import { validate } from "./validation.ts";

const JSON_MEDIA_TYPE = /^application\/([a-z0-9.+-]+\+)?json\s*(;|$)/i;

/** `failure` answers what is larger. */
export type BodyLimit = Readonly<{ maxBytes: number; failure: Refusal }>;

const JSON_LIMIT: BodyLimit = {
  maxBytes: 8 * 1024 * 1024,
  failure: createRefusal("PAYLOAD_TOO_LARGE", "A JSON body may have up to 8 MiB"),
};
const hungUp = createRefusal("INVALID_REQUEST", "The request's body ended too early");

const checkMediaType = (headers: Headers): Result<void, Refusal> => {
  const type = headers.get("content-type") ?? "";
  if (!JSON_MEDIA_TYPE.test(type)) {
    return err(createRefusal("UNSUPPORTED_MEDIA_TYPE", `The body must be application/json, not ${type || "untyped"}`));
  }
  const encoding = headers.get("content-encoding") ?? "identity";
  if (encoding.toLowerCase() === "identity") return ok(undefined);
  return err(createRefusal("UNSUPPORTED_MEDIA_TYPE", `The body must not be encoded as ${encoding}`));
};

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

const parseJson = (bytes: Uint8Array): Result<unknown, Refusal> => {
  try {
    return ok(JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes)));
  } catch (error) {
    const reason = error instanceof SyntaxError ? error.message : "it is not UTF-8 text";
    return err(createInvalid([{ loc: ["body"], msg: `The body is not JSON: ${reason}`, type: "json_invalid" }]));
  }
};

export const readJsonValue = async (request: Request, timeoutS: number): Promise<Result<unknown, Refusal>> => {
  const media = checkMediaType(request.headers);
  if (!media.ok) return media;
  const bytes = await readBytes(request, timeoutS, JSON_LIMIT);
  return bytes.ok ? parseJson(bytes.value) : bytes;
};

export const readJson = async <Schema extends z.ZodType>(
  request: Request,
  timeoutS: number,
  schema: Schema,
): Promise<Result<z.output<Schema>, Refusal>> => {
  const json = await readJsonValue(request, timeoutS);
  if (!json.ok) return json;
  const size = refuseOversized(json.value, ["body"]);
  return size.ok ? validate(schema, json.value, ["body"]) : size;
};
