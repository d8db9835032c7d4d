import { lstatSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { nameSharedFileSystem } from "../../tools/shared-folder.ts";
import { LOCAL_SOCKET, locatePersonalSocket, SERVICE_UNIT } from "../../wire/local-socket.ts";
import { locateHome } from "../settings/config-file.ts";
import { explainLink } from "./target-variables.ts";

/** Where the server of this machine is; `triesPort`: where nothing is at the socket, one of before may listen on its port. */
export type LocalPlace = Readonly<{
  socket: string | null;
  isInstalled: boolean;
  triesPort: boolean;
  listener: "own" | "machine";
  mayStart: boolean;
}>;

/** The port that `NS_PORT` gives the user's own server. */
export const readLocalPort = (): string | null =>
  explainLink("NS_PORT") === null ? process.env["NS_PORT"] || null : null;

/** The folder of the user's own server. */
export const locateServerDir = (): string =>
  resolve(
    process.env["NS_SERVER_DIR"] ||
      join(process.env["XDG_STATE_HOME"] || join(locateHome(), ".local", "state"), "nexus-server"),
  );

const locateOwnSocket = async (): Promise<string> => {
  const serverDir = locateServerDir();
  const isShared = nameSharedFileSystem(serverDir) !== null;
  const runtimeDir = process.env["XDG_RUNTIME_DIR"] || null;
  const facts = { serverDir, isShared, runtimeDir, uid: process.getuid?.() ?? 0 };
  const inside = locatePersonalSocket({ ...facts, digest: "" });
  if (dirname(inside) === serverDir) return inside;
  const { digestText } = await import("../../tools/digest.ts");
  return locatePersonalSocket({ ...facts, digest: digestText(serverDir) });
};

const isServerInstalled = (): boolean => lstatSync(SERVICE_UNIT, { throwIfNoEntry: false }) !== undefined;

/** That of `NEXUS_SOCKET`, which may be empty for none; else that of `NS_SERVER_DIR`, the installed one, or the user's own. */
export const findLocal = async (): Promise<LocalPlace> => {
  const named = process.env["NEXUS_SOCKET"];
  const hasInstalled = isServerInstalled();
  const isOwn = named === undefined && (!hasInstalled || Boolean(process.env["NS_SERVER_DIR"]));
  const socket = named ?? (isOwn ? await locateOwnSocket() : LOCAL_SOCKET);
  return {
    socket: socket || null,
    isInstalled: hasInstalled && socket === LOCAL_SOCKET,
    triesPort: isOwn && readLocalPort() !== null,
    listener: isOwn ? "own" : "machine",
    mayStart: !hasInstalled && (isOwn || socket === ""),
  };
};
