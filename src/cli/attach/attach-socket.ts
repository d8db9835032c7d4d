import type { Way } from "../connection/way.ts";
import type { Target } from "../targets/target.ts";

export type SocketEnd = Readonly<{ wasOpen: boolean; code: number; reason: string }>;

export type AttachSocket = Readonly<{
  isOpen: () => boolean;
  send: (data: string | Uint8Array) => void;
  close: () => void;
  ended: Promise<SocketEnd>;
}>;

const PING_MS = 15_000;

const toBytes = (data: unknown): Uint8Array =>
  data instanceof ArrayBuffer ? new Uint8Array(data) : new TextEncoder().encode(String(data));

const keepAlive = (socket: WebSocket, wasHeard: () => boolean): (() => void) => {
  const timer = setInterval(() => {
    if (socket.readyState !== WebSocket.OPEN) return;
    if (wasHeard()) socket.ping();
    else socket.terminate();
  }, PING_MS);
  return () => clearInterval(timer);
};

const watchSilence = (socket: WebSocket): (() => void) => {
  let isHeard = true;
  const hear = (): void => {
    isHeard = true;
  };
  for (const event of ["open", "message", "pong"]) socket.addEventListener(event, hear);
  return keepAlive(socket, () => {
    const was = isHeard;
    isHeard = false;
    return was;
  });
};

const describeUrl = ({ baseUrl }: Target, { options }: Way, path: string): string => {
  const url = baseUrl.replace(/^http/, "ws");
  const { unix } = options;
  return unix === undefined ? url + path : `${new URL(url).protocol.replace(":", "+unix:")}//${unix}:${path}`;
};

const connect = (target: Target, way: Way, path: string): WebSocket => {
  const headers: Record<string, string> = target.token === null ? {} : { authorization: `Bearer ${target.token}` };
  const tls = target.tls === null ? {} : { tls: target.tls };
  const socket = new WebSocket(describeUrl(target, way, path), { headers, ...tls });
  for (const event of ["open", "close"]) socket.addEventListener(event, way.close, { once: true });
  return socket;
};

/** `ended` resolves also when it never opened. A server that falls silent for half a minute is given up. */
export const openAttachSocket = (
  target: Target,
  { way, path }: Readonly<{ way: Way; path: string }>,
  onOutput: (bytes: Uint8Array) => void,
): AttachSocket => {
  const socket = connect(target, way, path);
  socket.binaryType = "arraybuffer";
  const stopWatching = watchSilence(socket);
  const { promise: ended, resolve } = Promise.withResolvers<SocketEnd>();
  let wasOpen = false;
  socket.addEventListener("open", () => {
    wasOpen = true;
  });
  socket.addEventListener("message", ({ data }) => onOutput(toBytes(data)));
  socket.addEventListener("error", () => undefined);
  socket.addEventListener("close", ({ code, reason }) => {
    stopWatching();
    resolve({ wasOpen, code, reason });
  });
  const isOpen = (): boolean => socket.readyState === WebSocket.OPEN;
  const send = (data: string | Uint8Array): void => {
    if (isOpen()) socket.send(data as Uint8Array<ArrayBuffer>);
  };
  return { isOpen, send, close: () => socket.close(), ended };
};
