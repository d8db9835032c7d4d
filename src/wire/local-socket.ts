/** Where an installed server listens for the users of its machine. */
export const LOCAL_SOCKET = "/run/nexus-server/nexus.sock";

/** There where a server is installed, whether or not it runs. */
export const SERVICE_UNIT = "/etc/systemd/system/nexus-server.service";

/** `serverDir` is absolute and `digest` names it; `isShared`: other machines see the same folder. */
export type SocketFacts = Readonly<{
  serverDir: string;
  digest: string;
  isShared: boolean;
  runtimeDir: string | null;
  uid: number;
}>;

const ROOT = 0;
const MAX_PATH_BYTES = 107;
const DIGEST_LENGTH = 16;

const fits = (path: string): boolean => new TextEncoder().encode(path).length <= MAX_PATH_BYTES;

/**
 * Where a personal server listens for its own user: in its folder (mode 0700), unless that is on several machines or too long a
 * path for a socket. Then in the user's runtime folder, or one of their own in `/tmp`, which must be theirs alone too.
 */
export const locatePersonalSocket = ({ serverDir, digest, isShared, runtimeDir, uid }: SocketFacts): string => {
  const own = `${serverDir}/nexus.sock`;
  if (!isShared && fits(own)) return own;
  const name = `nexus-${digest.slice(0, DIGEST_LENGTH)}.sock`;
  const atRuntime = `${runtimeDir}/${name}`;
  return runtimeDir !== null && fits(atRuntime) ? atRuntime : `/tmp/nexus-${uid}/${name}`;
};

/** Beside the socket of a personal server: where it listens for one user, without first asking the kernel who that is. */
export const locateSocketFor = (socket: string, uid: number): string =>
  socket.replace(/nexus([^/]*)$/, `${uid === ROOT ? "root" : "own"}$1`);
