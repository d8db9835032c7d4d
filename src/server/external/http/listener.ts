import { z } from "zod";
import type { EndAddress } from "../../../tools/sockets/end-address.ts";
import type { LocalUser } from "../../core/access/access.ts";
import { isUnspecified } from "../../core/access/server-hosts.ts";
import type { SocketHandler } from "../../core/running/job-terminal.ts";
import type { CertificateKeeper } from "../certificate/certificate-keeper.ts";
import type { FindHolder } from "../local-users/loopback-holders.ts";
import { type Answer, createFetch, type Line } from "./http-requests.ts";
import { createWebSockets } from "./web-sockets.ts";

export type Listener = Bun.Server<SocketHandler>;

/** Without a `certificate` it speaks plain HTTP. */
export type ListenerOptions = Readonly<{
  certificate: CertificateKeeper | null;
  answer: Answer;
  findHolder: FindHolder;
  countPending: () => number;
}>;

export type ListenerPlace = Readonly<{ hostname: string; port: number; reusePort: boolean }>;

type Handlers = Readonly<{
  idleTimeout: number;
  maxRequestBodySize: number;
  fetch: ReturnType<typeof createFetch>;
  websocket: ReturnType<typeof createWebSockets>;
}>;

const MAX_BODY_BYTES = 2 ** 40;
const IDLE_TIMEOUT_S = 120;

const boundSchema = z.object({ address: z.object({ address: z.string(), port: z.int() }) });

const readTls = (certificate: CertificateKeeper | null) => {
  if (certificate === null) return {};
  const { key, certificate: cert } = certificate.pair();
  return { tls: { key, cert } };
};

/** What a listener of Bun does with requests. */
export const createHandlers = (answer: Answer, line: Omit<Line, "idleTimeoutS">): Handlers => ({
  idleTimeout: IDLE_TIMEOUT_S,
  maxRequestBodySize: MAX_BODY_BYTES,
  fetch: createFetch(answer, { ...line, idleTimeoutS: IDLE_TIMEOUT_S }),
  websocket: createWebSockets(),
});

const readOwnEnd = (listener: Listener): EndAddress | null => {
  const bound = boundSchema.safeParse(listener);
  return bound.success && !isUnspecified(bound.data.address.address) ? bound.data.address : null;
};

/** Throws what `Bun.serve` does. */
export const openListener = (options: ListenerOptions, place: ListenerPlace): Listener => {
  const { certificate, answer, findHolder, countPending } = options;
  let near: EndAddress | null = null;
  const find = async (far: EndAddress): Promise<LocalUser | null> => (near === null ? null : findHolder(near, far));
  const handlers = createHandlers(answer, { findHolder: find, countPending });
  const listener = Bun.serve({ ...place, ...readTls(certificate), ...handlers });
  near = readOwnEnd(listener);
  return listener;
};
