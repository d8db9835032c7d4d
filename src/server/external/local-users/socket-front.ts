import { chmodSync, lstatSync, rmSync } from "node:fs";
import { connect, createServer, type Server, type Socket } from "node:net";
import { describeError } from "../../../base/describe-error.ts";
import { err, ok, type Problem, type Result } from "../../../base/result.ts";
import { acceptsConnections } from "../../../tools/sockets/accepts-connections.ts";
import type { ReadPeerUid } from "./peer-uid.ts";

/** `choose`: the path of the socket that serves this user alone; null for one who is not let in. `prepare` is done before anybody comes. */
export type SocketFrontOptions = Readonly<{
  path: string;
  mode: number;
  readUid: ReadPeerUid;
  choose: (uid: number) => Promise<string | null>;
  prepare: () => Promise<unknown>;
}>;

export type SocketFront = Readonly<{ close: () => void }>;

type Opened = Result<SocketFront, Problem>;

const BODY = JSON.stringify({
  error: "FORBIDDEN",
  message: "Only who is a user of this machine may use the socket",
  status_code: 403,
});
const REFUSAL = `HTTP/1.1 403 Forbidden\r\nContent-Type: application/json\r\nContent-Length: ${BODY.length}\r\nConnection: close\r\n\r\n${BODY}`;

const join = (outer: Socket, path: string): void => {
  const inner = connect({ path, allowHalfOpen: true });
  const end = (): void => {
    outer.destroy();
    inner.destroy();
  };
  for (const socket of [outer, inner]) socket.on("error", end).on("close", end);
  outer.pipe(inner);
  inner.pipe(outer);
};

const welcome = async ({ readUid, choose }: SocketFrontOptions, outer: Socket): Promise<void> => {
  outer.on("error", () => outer.destroy());
  const uid = readUid(outer);
  const path = uid === null ? null : await choose(uid);
  if (path === null) outer.end(REFUSAL);
  else if (!outer.destroyed) join(outer, path);
};

const isSocket = (path: string): boolean => lstatSync(path, { throwIfNoEntry: false })?.isSocket() === true;

const clear = async (path: string): Promise<string | null> => {
  if (!isSocket(path)) return null;
  if (await acceptsConnections(path)) return "a server has it already";
  rmSync(path);
  return null;
};

const listen = (server: Server, path: string): Promise<void> => {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once("error", reject);
  server.listen(path, resolve);
  return promise;
};

const open = async (options: SocketFrontOptions): Promise<Opened> => {
  const { path, mode } = options;
  const taken = await clear(path);
  if (taken !== null) return err({ message: `${path} can't be listened on: ${taken}` });
  await options.prepare();
  const visitors = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (outer) => {
    visitors.add(outer);
    outer.once("close", () => visitors.delete(outer));
    welcome(options, outer).catch(() => outer.destroy());
  });
  await listen(server, path);
  chmodSync(path, mode);
  const close = (): void => {
    server.close();
    for (const visitor of visitors) visitor.destroy();
    rmSync(path, { force: true });
  };
  return ok({ close });
};

/** A Unix socket that hands each connection on to the socket of who made it. */
export const openSocketFront = async (options: SocketFrontOptions): Promise<Opened> => {
  try {
    return await open(options);
  } catch (error) {
    return err({ message: `${options.path} can't be listened on: ${describeError(error)}` });
  }
};
