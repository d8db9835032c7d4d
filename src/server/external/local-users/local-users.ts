import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { describeError } from "../../../base/describe-error.ts";
import { err, ok, type Problem, type Result } from "../../../base/result.ts";
import type { LocalUser } from "../../core/access/access.ts";
import { findUserName } from "../machine/user-names.ts";
import { createPeerUidReader } from "./peer-uid.ts";
import { openSocketFront } from "./socket-front.ts";

type Inner = Readonly<{ stop: (isNow: boolean) => Promise<void> }>;
type Known = Readonly<{ path: string; since: number }>;

/** `serve` answers what comes to a socket as that user's. */
export type LocalUsersOptions = Readonly<{
  path: string;
  serverDir: string;
  serve: (path: string, user: LocalUser) => Inner;
}>;

export type LocalUsers = Readonly<{ close: () => Promise<void> }>;

const PRIVATE = 0o700;
const ROOT = 0;
const KNOWN_FOR_MS = 60_000;
const MAX_PATH_BYTES = 107;
const LONGEST_NAME = "4294967295.sock";

const makeFolder = (folder: string): Result<void, Problem> => {
  if (Buffer.byteLength(join(folder, LONGEST_NAME)) > MAX_PATH_BYTES)
    return err({ message: `${folder} is too long a path to hold sockets: choose a shorter server_dir` });
  try {
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { mode: PRIVATE });
    return ok(undefined);
  } catch (error) {
    return err({ message: `${folder} can't be made: ${describeError(error)}` });
  }
};

const createHall = (folder: string, serve: LocalUsersOptions["serve"]) => {
  const inner = new Map<string, Inner>();
  const open = (uid: number, user: string): string => {
    const path = join(folder, `${uid}.sock`);
    const key = `${uid} ${user}`;
    if (inner.has(key)) return path;
    rmSync(path, { force: true });
    inner.set(key, serve(path, { user, isOwner: uid === ROOT || uid === process.getuid?.() }));
    return path;
  };
  const close = async (): Promise<void> => {
    await Promise.all([...inner.values()].map((server) => server.stop(true)));
    rmSync(folder, { recursive: true, force: true });
  };
  return { open, close };
};

const readOverflowUid = (): number => Number(readFileSync("/proc/sys/kernel/overflowuid", "utf8"));

const createChooser = (open: (uid: number, user: string) => string): ((uid: number) => Promise<string | null>) => {
  const known = new Map<number, Known>();
  const anyone = readOverflowUid();
  return async (uid) => {
    if (uid === anyone) return null;
    const before = known.get(uid);
    if (before !== undefined && performance.now() - before.since < KNOWN_FOR_MS) return before.path;
    const user = await findUserName(uid);
    const path = user === null ? null : open(uid, user);
    if (path !== null) known.set(uid, { path, since: performance.now() });
    return path;
  };
};

/**
 * A socket for all users of the machine. Each has a server of their own behind it, on a socket that only this process can
 * reach, so that who asks is told by where a request comes in, and by nothing in it. The number that the kernel gives for
 * users of other namespaces is nobody's.
 */
export const serveLocalUsers = async (options: LocalUsersOptions): Promise<Result<LocalUsers, Problem>> => {
  const { path, serverDir, serve } = options;
  const folder = join(serverDir, "sockets");
  const readUid = createPeerUidReader();
  if (!readUid.ok) return err({ message: `${path} can't be listened on: ${readUid.error.message}` });
  const made = makeFolder(folder);
  if (!made.ok) return made;
  const hall = createHall(folder, serve);
  const front = await openSocketFront({ path, readUid: readUid.value, choose: createChooser(hall.open) });
  if (!front.ok) return front;
  const close = async (): Promise<void> => {
    front.value.close();
    await hall.close();
  };
  return ok({ close });
};
