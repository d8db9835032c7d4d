import { existsSync } from "node:fs";
import { isLoopback } from "../targets/loopback.ts";
import type { Target } from "../targets/target.ts";
import { locatePort } from "../targets/target-url.ts";

const isOwnPort = async ({ baseUrl, autostart }: Target): Promise<boolean> => {
  const { host: hostname, port } = locatePort(baseUrl);
  if (!isLoopback(hostname)) return false;
  const { dial } = await import("./dial.ts");
  try {
    const line = await dial({ hostname, port }, [process.getuid?.() ?? 0]);
    if (line.ok) line.value.close();
    return line.ok;
  } catch {
    return autostart;
  }
};

/** Whether the server sees the user's files: it is reached by its own socket, or by a port of this machine at which the same user listens. */
export const isSameMachine = async (target: Target): Promise<boolean> => {
  const { ssh, socket, triesPort, listener } = target;
  if (ssh !== null) return false;
  const hasSocket = socket !== null && (!triesPort || existsSync(socket));
  return hasSocket ? listener !== "any" : isOwnPort(target);
};
