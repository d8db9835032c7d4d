import { existsSync } from "node:fs";
import { err, ok, type Result } from "../../base/result.ts";
import { type PinnedSocket, pinSocket } from "../../tools/sockets/pinned-socket.ts";
import { locateSocketFor } from "../../wire/local-socket.ts";
import { bypassesProxy } from "../targets/loopback.ts";
import type { Target } from "../targets/target.ts";
import { locatePort } from "../targets/target-url.ts";
import type { ApiFailure } from "./api-failure.ts";
import { listTrusted } from "./trusted-users.ts";

/** How one request gets there: `options` are for `fetch`. `close` when the answer has begun, or there is none. */
export type Way = Readonly<{
  options: Readonly<{ unix?: string; proxy?: false; keepalive?: false }>;
  close: () => void;
}>;

type Opened = Promise<Result<Way, ApiFailure>>;

const ROOT = 0;

const nothing = (): void => undefined;

const dialPort = async (target: Target): Opened => {
  const { dial } = await import("./dial.ts");
  const { host, port } = locatePort(target.baseUrl);
  const line = await dial({ hostname: host, port }, listTrusted("machine"));
  if (line.ok) return ok({ options: { unix: line.value.path, keepalive: false }, close: line.value.close });
  const { describeListener } = await import("./distrust.ts");
  return err(await describeListener(target, line.error));
};

const dialInstead = (target: Target): Opened => {
  if (target.triesPort) return dialPort(target);
  throw Object.assign(new Error("nothing listens there"), { code: "ENOENT" });
};

const findDirect = (path: string): Result<PinnedSocket, unknown> => {
  const uid = process.getuid?.() ?? ROOT;
  return pinSocket(locateSocketFor(path, uid), [uid]);
};

const enterSocket = async (target: Target, path: string, whose: "own" | "machine"): Opened => {
  const direct = whose === "own" ? findDirect(path) : null;
  const pinned = direct?.ok === true ? direct : pinSocket(path, listTrusted(whose));
  if (pinned.ok) return ok({ options: { unix: pinned.value.path }, close: pinned.value.close });
  if (pinned.error.kind === "absent") return dialInstead(target);
  const { describeDoubt } = await import("./distrust.ts");
  return err(await describeDoubt(target, pinned.error));
};

const goDirectly = async ({ baseUrl, socket, triesPort }: Target): Opened => {
  if (socket !== null && (!triesPort || existsSync(socket))) return ok({ options: { unix: socket }, close: nothing });
  const isDirect = await bypassesProxy(new URL(baseUrl).hostname);
  return ok({ options: isDirect ? { proxy: false } : {}, close: nothing });
};

/** To a socket or, over plain HTTP, a port only if those who may be trusted listen there. TLS proves itself. Throws as `fetch` does. */
export const openWay = (target: Target): Opened => {
  const { socket, baseUrl, listener } = target;
  if (listener === "any") return goDirectly(target);
  if (socket !== null) return enterSocket(target, socket, listener);
  return baseUrl.startsWith("https:") ? goDirectly(target) : dialPort(target);
};
