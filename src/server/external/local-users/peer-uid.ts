import { ptr } from "bun:ffi";
import type { Socket } from "node:net";
import { z } from "zod";
import { err, ok, type Problem, type Result } from "../../../base/result.ts";
import { openLibc } from "../../../tools/sockets/open-libc.ts";

/** The user id of who connected a Unix socket, as the kernel noted it then; null when it can't be told. */
export type ReadPeerUid = (socket: Socket) => number | null;

type Getsockopt = (fd: number, level: number, option: number, value: unknown, length: unknown) => number;

const SOL_SOCKET = 1;
const SO_PEERCRED = 17;
const CREDENTIALS = 3;
const UID_PLACE = 1;
const BYTES_A_NUMBER = 4;
const NOBODY_KNOWN = 0xffff_ffff;

const handleSchema = z.object({ _handle: z.object({ fd: z.int().min(0) }) });

const readFd = (socket: Socket): number | null => {
  const parsed = handleSchema.safeParse(socket);
  return parsed.success ? parsed.data._handle.fd : null;
};

const askKernel = (getsockopt: Getsockopt, fd: number): number | null => {
  const credentials = new Uint32Array(CREDENTIALS);
  const length = new Uint32Array([CREDENTIALS * BYTES_A_NUMBER]);
  const answer = getsockopt(fd, SOL_SOCKET, SO_PEERCRED, ptr(credentials), ptr(length));
  const uid = credentials[UID_PLACE];
  const isWhole = answer === 0 && length[0] === CREDENTIALS * BYTES_A_NUMBER;
  return isWhole && uid !== undefined && uid !== NOBODY_KNOWN ? uid : null;
};

export const createPeerUidReader = (): Result<ReadPeerUid, Problem> => {
  const libc = openLibc<Readonly<{ getsockopt: Getsockopt }>>({
    getsockopt: { args: ["i32", "i32", "i32", "ptr", "ptr"], returns: "i32" },
  });
  if (!libc.ok) return err({ message: `who connects can't be told: ${libc.error.message}` });
  return ok((socket) => {
    const fd = readFd(socket);
    return fd === null ? null : askKernel(libc.value.getsockopt, fd);
  });
};
