import type { z } from "zod";
import { err, ok, type Result } from "../../../base/result.ts";
import { createInvalid, createRefusal, type Refusal } from "../../core/refusal.ts";
import { jsonContent } from "./describe-response.ts";
import { type BodyLimit, type RequestBody, readBytes } from "./request-body.ts";
import { validateSized } from "./validation.ts";

const JSON_MEDIA_TYPE = /^application\/([a-z0-9.+-]+\+)?json\s*(;|$)/i;

const JSON_LIMIT: BodyLimit = {
  maxBytes: 8 * 1024 * 1024,
  failure: createRefusal("PAYLOAD_TOO_LARGE", "A JSON body may have up to 8 MiB"),
};

const checkMediaType = (headers: Headers): Result<void, Refusal> => {
  const type = headers.get("content-type") ?? "";
  if (!JSON_MEDIA_TYPE.test(type)) {
    return err(createRefusal("UNSUPPORTED_MEDIA_TYPE", `The body must be application/json, not ${type || "untyped"}`));
  }
  const encoding = headers.get("content-encoding") ?? "identity";
  if (encoding.toLowerCase() === "identity") return ok(undefined);
  return err(createRefusal("UNSUPPORTED_MEDIA_TYPE", `The body must not be encoded as ${encoding}`));
};

const parseJson = (bytes: Uint8Array): Result<unknown, Refusal> => {
  try {
    return ok(JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes)));
  } catch (error) {
    const reason = error instanceof SyntaxError ? error.message : "it is not UTF-8 text";
    return err(createInvalid([{ loc: ["body"], msg: `The body is not JSON: ${reason}`, type: "json_invalid" }]));
  }
};

const readJson = async (request: Request, timeoutS: number): Promise<Result<unknown, Refusal>> => {
  const media = checkMediaType(request.headers);
  if (!media.ok) return media;
  const bytes = await readBytes(request, timeoutS, JSON_LIMIT);
  return bytes.ok ? parseJson(bytes.value) : bytes;
};

/** JSON that `schema` describes and `check` goes through. */
export const checkedJsonBody = <Value>(
  schema: z.ZodType,
  check: (value: unknown) => Result<Value, Refusal>,
): RequestBody<Value> => ({
  content: jsonContent(schema),
  read: async (request, timeoutS) => {
    const json = await readJson(request, timeoutS);
    return json.ok ? check(json.value) : json;
  },
});

export const jsonBody = <Schema extends z.ZodType>(schema: Schema): RequestBody<z.output<Schema>> =>
  checkedJsonBody(schema, (value) => validateSized(schema, value, ["body"]));
