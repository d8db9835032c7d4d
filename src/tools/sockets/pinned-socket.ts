import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  lstatSync,
  openSync,
  realpathSync,
  type Stats,
  statSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { err, ok, type Result } from "../../base/result.ts";

/** A path that leads to the very socket that was looked at, until it is closed. */
export type PinnedSocket = Readonly<{ path: string; close: () => void }>;

/** Why a socket is not to be spoken to; `path` is what belongs to the user, or what anybody may write to. */
export type SocketDoubt =
  | Readonly<{ kind: "absent" }>
  | Readonly<{ kind: "foreign"; path: string; uid: number }>
  | Readonly<{ kind: "open"; path: string }>;

type Judged = Result<void, SocketDoubt>;

const OWN_FILES = "/proc/self/fd";
const O_PATH = 0x20_0000;
const OTHERS_WRITE = 0o022;
const STICKY = 0o1000;
const ABSENT: SocketDoubt = { kind: "absent" };

const readCode = (error: unknown): unknown => (error instanceof Error && "code" in error ? error.code : null);

const isSealed = ({ mode }: Stats): boolean => (mode & OTHERS_WRITE) === 0 || (mode & STICKY) !== 0;

const judge = (path: string, folder: Stats, socket: Stats, trusted: readonly number[]): Judged => {
  if (!trusted.includes(socket.uid)) return err({ kind: "foreign", path, uid: socket.uid });
  if (!trusted.includes(folder.uid)) return err({ kind: "foreign", path: dirname(path), uid: folder.uid });
  if (!isSealed(folder)) return err({ kind: "open", path: dirname(path) });
  return socket.isSocket() ? ok(undefined) : err(ABSENT);
};

const pin = (path: string, trusted: readonly number[]): Result<PinnedSocket, SocketDoubt> => {
  const folder = openSync(dirname(path), O_PATH | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  let isOpen = true;
  const close = (): void => {
    if (isOpen) closeSync(folder);
    isOpen = false;
  };
  const pinned = join(OWN_FILES, String(folder), basename(path));
  try {
    const judged = judge(path, fstatSync(folder), lstatSync(pinned), trusted);
    if (judged.ok) return ok({ path: pinned, close });
    close();
    return judged;
  } catch (error) {
    close();
    throw error;
  }
};

const look = (path: string, trusted: readonly number[]): Result<PinnedSocket, SocketDoubt> => {
  const judged = judge(path, statSync(dirname(path)), lstatSync(path), trusted);
  return judged.ok ? ok({ path, close: () => undefined }) : judged;
};

const explainClosed = (path: string): SocketDoubt => {
  const above = dirname(path);
  try {
    return { kind: "foreign", path: above, uid: lstatSync(above).uid };
  } catch {
    return above === path ? ABSENT : explainClosed(above);
  }
};

/**
 * A Unix socket that one of the trusted made, in a folder in which nobody else can put another in its place: then who made it is
 * also who listens. On Linux the folder is held meanwhile, so that no other can be moved to where it was.
 */
export const pinSocket = (path: string, trusted: readonly number[]): Result<PinnedSocket, SocketDoubt> => {
  try {
    const real = realpathSync(path);
    return existsSync(OWN_FILES) ? pin(real, trusted) : look(real, trusted);
  } catch (error) {
    return err(readCode(error) === "EACCES" ? explainClosed(path) : ABSENT);
  }
};
