import { lookup } from "node:dns/promises";
import { connect } from "node:net";
import { USER_AGENT } from "../../../base/version.ts";
import type { Health } from "../../../wire/node.ts";

type Network = NonNullable<Health["network"]>;
type Peer = Readonly<{ host: string; port: number }>;
type Addresses = Readonly<{ speedTestUrl: string | null; pingHost: string | null }>;

const DEFAULT_PORT = 443;
const PING_LIMIT_MS = 2000;
const DOWNLOAD_LIMIT_MS = 5000;
const MAX_DOWNLOAD_BYTES = 25_000_000;
const BITS_PER_BYTE = 8;
const BITS_PER_MBIT = 1_000_000;
const HOST = /^(?:\[([^\]]+)\]|([^:]+))(?::(\d{1,5}))?$/;

const parsePeer = (text: string): Peer => {
  const [, bracketed, name, port] = HOST.exec(text) ?? [];
  return { host: bracketed ?? name ?? text, port: port === undefined ? DEFAULT_PORT : Number(port) };
};

const findPeer = ({ speedTestUrl, pingHost }: Addresses): Peer | null => {
  if (pingHost !== null) return parsePeer(pingHost);
  if (speedTestUrl === null) return null;
  const { hostname, port, protocol } = new URL(speedTestUrl);
  const usual = protocol === "http:" ? 80 : DEFAULT_PORT;
  return { host: hostname.replace(/^\[|\]$/g, ""), port: port === "" ? usual : Number(port) };
};

const isAnswer = (error: NodeJS.ErrnoException): boolean => error.code === "ECONNREFUSED";

const knock = (address: string, port: number): Promise<number> => {
  const { promise, resolve } = Promise.withResolvers<number>();
  const startedAt = performance.now();
  const socket = connect({ host: address, port, timeout: PING_LIMIT_MS });
  const end = (isAnswered: boolean) => (): void => {
    socket.destroy();
    resolve(isAnswered ? Math.min(performance.now() - startedAt, PING_LIMIT_MS) : PING_LIMIT_MS);
  };
  socket.once("connect", end(true)).once("timeout", end(false));
  socket.once("error", (error) => end(isAnswer(error))());
  return promise;
};

const ping = async ({ host, port }: Peer): Promise<number> => {
  const found = await lookup(host).catch(() => null);
  return found === null ? PING_LIMIT_MS : knock(found.address, port);
};

const countBytes = async (body: ReadableStream<Uint8Array>, until: number): Promise<number> => {
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.byteLength;
    if (bytes >= MAX_DOWNLOAD_BYTES || performance.now() >= until) break;
  }
  return bytes;
};

const download = async (url: string): Promise<number> => {
  try {
    const signal = AbortSignal.timeout(2 * DOWNLOAD_LIMIT_MS);
    const response = await fetch(url, {
      signal,
      redirect: "error",
      headers: { "accept-encoding": "identity", "user-agent": USER_AGENT },
    });
    if (!response.ok || response.body === null) return 0;
    const startedAt = performance.now();
    const bytes = await countBytes(response.body, startedAt + DOWNLOAD_LIMIT_MS);
    const seconds = Math.max(performance.now() - startedAt, 1) / 1000;
    return (bytes * BITS_PER_BYTE) / BITS_PER_MBIT / seconds;
  } catch {
    return 0;
  }
};

/**
 * Calls no address but those given, and follows no redirect. The ping is the time until a TCP connection is answered, 2000 ms
 * when none is; a download that fails is 0. Nothing is uploaded. Null without an address.
 */
export const createNetworkTest = (addresses: Addresses): (() => Promise<Network | null>) => {
  const peer = findPeer(addresses);
  const { speedTestUrl } = addresses;
  return async () => {
    if (peer === null) return null;
    const latency = await ping(peer);
    const speed = speedTestUrl === null ? null : await download(speedTestUrl);
    return { download_speed: speed, upload_speed: null, ping: latency };
  };
};
