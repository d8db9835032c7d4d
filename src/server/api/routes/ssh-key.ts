import { z } from "zod";
import { err, type Result } from "../../../base/result.ts";
import { sshKeyAnswerSchema } from "../../../wire/ssh-key.ts";
import { parseSshKey, type SshKey } from "../../core/access/ssh-key.ts";
import { createRefusal, type Refusal } from "../../core/refusal.ts";
import { readCaller } from "../access/caller.ts";
import type { ApiContext, AppRequest } from "../context.ts";
import { respondRefusal } from "../http/error-response.ts";
import { type BodyLimit, readBytes } from "../http/read-json.ts";
import { describeErrors, describeJson, type Route, type RouteSpec } from "../route.ts";

const spec: RouteSpec = {
  method: "post",
  path: "/v1/auth/ssh-key",
  tags: ["server"],
  summary: "Let an SSH key attach to running jobs",
  description:
    "The body is one line, as in a `.pub` file. With the key, `ssh -t` to the server's user with the command `attach ID` opens the terminal of the job, and nothing else can be done. A user's key attaches to jobs of the same name, an admin's to all.",
  request: { body: { required: true, content: { "text/plain": { schema: z.string() } } } },
  responses: {
    200: describeJson("Whether it is new", sshKeyAnswerSchema),
    ...describeErrors("INVALID_REQUEST", "REQUEST_TIMEOUT"),
  },
};

const LIMIT: BodyLimit = {
  maxBytes: 16 * 1024,
  failure: createRefusal("INVALID_REQUEST", "A public key has up to 16 KiB"),
};

const refuse = (message: string): Result<never, Refusal> => err(createRefusal("INVALID_REQUEST", message));

const readKey = async (request: Request, timeoutS: number): Promise<Result<SshKey, Refusal>> => {
  const bytes = await readBytes(request, timeoutS, LIMIT);
  if (!bytes.ok) return bytes;
  const key = parseSshKey(new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes.value));
  return key.ok ? key : refuse(key.error.message);
};

const findOwner = (request: AppRequest): string | null => {
  const identity = request.get("identity");
  return identity?.role === "admin" ? null : (identity?.name ?? "");
};

const register =
  ({ authorizedKeys, settings }: ApiContext) =>
  async (request: AppRequest): Promise<Response> => {
    const key = await readKey(request.req.raw, settings.limits.bodyTimeout);
    if (!key.ok) return respondRefusal(key.error);
    const { log, name } = readCaller(request);
    const registered = await authorizedKeys.register(key.value, findOwner(request));
    if (!registered.ok) return respondRefusal(createRefusal("UNAVAILABLE", registered.error.message));
    const { type, comment } = key.value;
    log.info("ssh key", { outcome: registered.value, type, comment, reason: `asked for by ${name}` });
    return Response.json({ status: registered.value });
  };

export const createSshKeyRoute = (context: ApiContext): Route => ({
  spec,
  asks: "contribute",
  handle: register(context),
});
