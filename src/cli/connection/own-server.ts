import { lstatSync } from "node:fs";
import { pinSocket } from "../../tools/sockets/pinned-socket.ts";
import type { Target } from "../targets/target.ts";
import { locatePort } from "../targets/target-url.ts";
import { listTrusted } from "./trusted-users.ts";

type Owned = boolean | "absent";

const readOwn = (): number => process.getuid?.() ?? 0;

const isOwnSocket = (path: string): Owned => {
  const pinned = pinSocket(path, listTrusted("own"));
  if (!pinned.ok) return pinned.error.kind === "absent" && "absent";
  const { uid } = lstatSync(pinned.value.path);
  pinned.value.close();
  return uid === readOwn();
};

const isOwnPort = async (baseUrl: string): Promise<Owned> => {
  const { dial } = await import("./dial.ts");
  const { host, port } = locatePort(baseUrl);
  try {
    const line = await dial({ hostname: host, port }, [readOwn()]);
    if (line.ok) line.value.close();
    return line.ok;
  } catch {
    return "absent";
  }
};

const look = async ({ socket, triesPort, baseUrl }: Target): Promise<Owned> => {
  const found = socket === null ? "absent" : isOwnSocket(socket);
  return found === "absent" && (socket === null || triesPort) ? isOwnPort(baseUrl) : found;
};

/** Whether the server is on this machine and the user's own, or will be, as it is started when it is asked. */
export const isOwnServer = async (target: Target): Promise<boolean> => {
  const { ssh, baseUrl, listener, autostart } = target;
  if (ssh !== null || baseUrl.startsWith("https:")) return false;
  const found = await look(target);
  return found === "absent" ? autostart || listener === "own" : found;
};
