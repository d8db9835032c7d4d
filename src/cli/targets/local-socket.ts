import { existsSync } from "node:fs";
import { LOCAL_SOCKET } from "../../wire/local-socket.ts";

const MOVED_BY = ["NS_PORT", "NS_SERVER_DIR"];

const isMoved = (): boolean => MOVED_BY.some((name) => Boolean(process.env[name]));

const answers = async (path: string): Promise<boolean> => {
  const { acceptsConnections } = await import("../../tools/accepts-connections.ts");
  return acceptsConnections(path);
};

/** That of `NEXUS_SOCKET`, which may be empty for none, or else of the installed server where one answers. */
export const findLocalSocket = async (): Promise<string | null> => {
  const named = process.env["NEXUS_SOCKET"];
  if (named !== undefined) return named || null;
  return !isMoved() && existsSync(LOCAL_SOCKET) && (await answers(LOCAL_SOCKET)) ? LOCAL_SOCKET : null;
};
