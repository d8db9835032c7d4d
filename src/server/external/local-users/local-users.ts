import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { describeError } from "../../../base/describe-error.ts";
import { err, ok, type Problem, type Result } from "../../../base/result.ts";
import { locateSocketFor } from "../../../wire/local-socket.ts";
import type { LocalUser } from "../../core/access/access.ts";
import { isNobody, isOwnerUid } from "../../core/access/loopback.ts";
import { createUserNames, type FindUserName } from "../machine/user-names.ts";
import { readOverflowUid } from "./overflow-uid.ts";
import { createPeerUidReader } from "./peer-uid.ts";
import { openSocketFront } from "./socket-front.ts";

type Inner = Readonly<{ stop: (isNow: boolean) => Promise<void> }>;

/** `serve` answers what comes to a socket as that user's. `isPersonal`: only root and the server's own user are let in. */
export type LocalUsersOptions = Readonly<{
  path: string;
  serverDir: string;
  serve: (path: string, user: LocalUser) => Inner;
  findName?: FindUserName;
  isPersonal?: boolean;
}>;

export type LocalUsers = Readonly<{ close: () => Promise<void> }>;

type Backstage = Readonly<{ place: (uid: number) => string; clear: () => void }>;

const PRIVATE = 0o700;
const ROOT = 0;
const OWN_UID = process.getuid?.() ?? ROOT;
const FOR_ALL = 0o666;
const FOR_OWNER = 0o600;
const MAX_PATH_BYTES = 107;
const LONGEST_NAME = "4294967295.sock";

const makeFolder = (folder: string): Result<Backstage, Problem> => {
  if (Buffer.byteLength(join(folder, LONGEST_NAME)) > MAX_PATH_BYTES)
    return err({ message: `${folder} is too long a path to hold sockets: choose a shorter server_dir` });
  try {
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { mode: PRIVATE });
    const clear = (): void => rmSync(folder, { recursive: true, force: true });
    return ok({ place: (uid) => join(folder, `${uid}.sock`), clear });
  } catch (error) {
    return err({ message: `${folder} can't be made: ${describeError(error)}` });
  }
};

const standBeside = (path: string): Backstage => {
  const place = (uid: number): string => locateSocketFor(path, uid);
  const clear = (): void => {
    for (const uid of [ROOT, OWN_UID]) rmSync(place(uid), { force: true });
  };
  return { place, clear };
};

const isOwner = (uid: number): boolean => isOwnerUid(uid, { serverUid: OWN_UID });

const createHall = (place: Backstage["place"], serve: LocalUsersOptions["serve"]) => {
  const inner = new Map<string, Inner>();
  const open = (uid: number, user: string): string => {
    const path = place(uid);
    const key = `${uid} ${user}`;
    if (inner.has(key)) return path;
    rmSync(path, { force: true });
    inner.set(key, serve(path, { user, isOwner: isOwner(uid) }));
    return path;
  };
  const close = async (): Promise<void> => {
    await Promise.all([...inner.values()].map((server) => server.stop(true)));
  };
  return { open, close };
};

const createChooser = (
  { findName = createUserNames(), isPersonal = false }: LocalUsersOptions,
  open: (uid: number, user: string) => string,
): ((uid: number) => Promise<string | null>) => {
  const rules = { serverUid: OWN_UID, overflowUid: readOverflowUid() };
  return async (uid) => {
    if (isNobody(uid, rules) || (isPersonal && !isOwner(uid))) return null;
    const user = await findName(uid);
    return user === null ? null : open(uid, user);
  };
};

/**
 * A socket for all users of the machine, or for the server's own, who may also come in behind it. Each has a server of their own behind it, on a socket that only this process can
 * reach, so that who asks is told by where a request comes in, and by nothing in it. The number that the kernel gives for
 * users of other namespaces is nobody's.
 */
export const serveLocalUsers = async (options: LocalUsersOptions): Promise<Result<LocalUsers, Problem>> => {
  const { path, serverDir, serve, isPersonal = false } = options;
  const readUid = createPeerUidReader();
  if (!readUid.ok) return err({ message: `${path} can't be listened on: ${readUid.error.message}` });
  const backstage = isPersonal ? ok(standBeside(path)) : makeFolder(join(serverDir, "sockets"));
  if (!backstage.ok) return backstage;
  const hall = createHall(backstage.value.place, serve);
  const choose = createChooser(options, hall.open);
  const mode = isPersonal ? FOR_OWNER : FOR_ALL;
  const prepare = async (): Promise<unknown> => (isPersonal ? choose(OWN_UID) : null);
  const front = await openSocketFront({ path, mode, readUid: readUid.value, choose, prepare });
  if (!front.ok) {
    await hall.close();
    return front;
  }
  const close = async (): Promise<void> => {
    front.value.close();
    await hall.close();
    backstage.value.clear();
  };
  return ok({ close });
};
