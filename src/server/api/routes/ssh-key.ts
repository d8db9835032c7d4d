import { z } from "zod";
import { err, ok } from "../../../base/result.ts";
import { sshKeyAnswerSchema } from "../../../wire/ssh-key.ts";
import { parseSshKey, type SshKey } from "../../core/access/ssh-key.ts";
import { createRefusal } from "../../core/refusal.ts";
import { readCaller } from "../access/caller.ts";
import type { ApiContext, AppRequest } from "../context.ts";
import { describeErrors, describeJson } from "../http/describe-response.ts";
import { type BodyLimit, type RequestBody, readBytes } from "../http/request-body.ts";
import { defineRoute, type Handle, type Route, type RouteSpec } from "../route.ts";

const LIMIT: BodyLimit = {
  maxBytes: 16 * 1024,
  failure: createRefusal("INVALID_REQUEST", "A public key has up to 16 KiB"),
};

const keyBody: RequestBody<SshKey> = {
  content: { "text/plain": { schema: z.string() } },
  read: async (request, timeoutS) => {
    const bytes = await readBytes(request, timeoutS, LIMIT);
    if (!bytes.ok) return bytes;
    const key = parseSshKey(new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes.value));
    return key.ok ? key : err(createRefusal("INVALID_REQUEST", key.error.message));
  },
};

const spec = {
  method: "post",
  path: "/v1/auth/ssh-key",
  tags: ["server"],
  summary: "Let an SSH key attach to running jobs",
  description:
    "The body is one line, as in a `.pub` file. With the key, `ssh -t` to the server's user with the command `attach ID` opens the terminal of the job, and nothing else can be done. A user's key attaches to jobs of the same name, an admin's to all.",
  asks: "contribute",
  body: keyBody,
  responses: {
    200: describeJson("Whether it is new", sshKeyAnswerSchema),
    ...describeErrors("INVALID_REQUEST", "REQUEST_TIMEOUT"),
  },
} satisfies RouteSpec;

const findOwner = (request: AppRequest): string | null => {
  const identity = request.get("identity");
  return identity?.role === "admin" ? null : (identity?.name ?? "");
};

const register =
  ({ authorizedKeys }: ApiContext): Handle<typeof spec> =>
  async ({ request, body: key }) => {
    const { log, name } = readCaller(request);
    const registered = await authorizedKeys.register(key, findOwner(request));
    if (!registered.ok) return err(createRefusal("UNAVAILABLE", registered.error.message));
    const { type, comment } = key;
    log.info("ssh key", { outcome: registered.value, type, comment, reason: `asked for by ${name}` });
    return ok(Response.json({ status: registered.value }));
  };

export const createSshKeyRoute = (context: ApiContext): Route => defineRoute(spec, register(context));
