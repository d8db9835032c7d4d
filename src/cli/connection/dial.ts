import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { err, ok, type Result } from "../../base/result.ts";
import type { EndAddress, KernelEnd } from "../../tools/sockets/end-address.ts";
import { askProcNet } from "../../tools/sockets/proc-net.ts";
import { openSockDiag } from "../../tools/sockets/sock-diag.ts";
import { withinLimit } from "../../tools/within-limit.ts";
import { locateRuntime } from "../targets/runtime-folder.ts";
import { createHalf, type Half, JOINED, joinSockets } from "./joined-sockets.ts";

/** A connection to whom one may speak, by way of a socket that takes one connection of this process. */
export type GuardedLine = Readonly<{ path: string; close: () => void }>;

/** Who has taken the connection: a user, nobody in time, or one of whom the kernel does not tell. */
export type Listener = Readonly<{ kind: "user"; uid: number }> | Readonly<{ kind: "slow" | "unknown" }>;

type Place = Readonly<{ hostname: string; port: number }>;

const PATIENCE_MS = 2000;
const POLL_MS = 2;

const ESTABLISHED = 1;
const SYN_RECV = 3;
const LISTEN = 10;
const NO_PORT = 0;

const netlink = openSockDiag();

const connectInTime = async (place: Place): Promise<Bun.Socket<Half> | null> => {
  const connecting = Bun.connect<Half>({ ...place, data: createHalf(), socket: JOINED });
  const socket = await withinLimit(connecting, PATIENCE_MS);
  if (socket === null) void connecting.then((late) => late.terminate()).catch(() => undefined);
  return socket;
};

const askFar = (near: EndAddress, far: EndAddress): KernelEnd | null => {
  const ask = netlink.ok && netlink.value({ own: near, other: far }) !== null ? netlink.value : askProcNet;
  const found = ask({ own: far, other: near });
  if (found?.state !== SYN_RECV) return found;
  const listening = ask({ own: far, other: { ...near, port: NO_PORT } });
  return listening?.state === LISTEN ? { ...listening, state: ESTABLISHED } : found;
};

const readListener = ({ localAddress, localPort, remoteAddress, remotePort }: Bun.Socket<Half>): Listener => {
  const found = askFar({ address: localAddress, port: localPort }, { address: remoteAddress, port: remotePort });
  if (found === null || found.state === LISTEN) return { kind: "unknown" };
  return found.state === ESTABLISHED && found.inode !== 0 ? { kind: "user", uid: found.uid } : { kind: "slow" };
};

const awaitListener = async (socket: Bun.Socket<Half>): Promise<Listener> => {
  const deadline = performance.now() + PATIENCE_MS;
  for (;;) {
    if (socket.readyState <= 0) throw Object.assign(new Error("the connection was closed"), { code: "ECONNRESET" });
    const listener = readListener(socket);
    if (listener.kind === "user" || performance.now() > deadline) return listener;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
};

const openLine = (far: Bun.Socket<Half>): GuardedLine => {
  const folder = mkdtempSync(join(locateRuntime() ?? "/tmp", "nexus-"));
  const path = join(folder, "line");
  const open = (near: Bun.Socket<Half>): void => {
    near.data = createHalf();
    joinSockets(near, far);
    dispose();
  };
  const listener = Bun.listen<Half>({ unix: path, data: createHalf(), socket: { ...JOINED, open } });
  const dispose = (): void => {
    listener.stop();
    rmSync(folder, { recursive: true, force: true });
  };
  const close = (): void => {
    if (far.data.peer !== null) return;
    dispose();
    far.terminate();
  };
  return { path, close };
};

/** Connects, asks the kernel who has accepted, and only to the trusted lets anything through. Throws when nothing listens. */
export const dial = async (place: Place, trusted: readonly number[]): Promise<Result<GuardedLine, Listener>> => {
  const far = await connectInTime(place);
  if (far === null) return err({ kind: "slow" });
  const listener = await awaitListener(far);
  if (listener.kind === "user" && trusted.includes(listener.uid)) return ok(openLine(far));
  far.terminate();
  return err(listener);
};
