import { setTimeout as pause } from "node:timers/promises";
import { describeError } from "../../../base/describe-error.ts";
import { err, ok, type Problem, type Result } from "../../../base/result.ts";
import type { LocalUser } from "../../core/access/access.ts";
import type { SocketHandler } from "../../core/running/job-terminal.ts";
import type { Log } from "../../core/telemetry/log.ts";
import type { CertificateKeeper } from "../certificate/certificate-keeper.ts";
import { type Answer, createFetch } from "./http-requests.ts";
import { createWebSockets } from "./web-sockets.ts";

export type HttpServer = Readonly<{ url: string; stop: () => Promise<void> }>;

/** Without a `certificate` it speaks plain HTTP. Every `lookEveryMs` the certificate is looked at. */
export type HttpServerOptions = Readonly<{
  host: string;
  port: number;
  certificate: CertificateKeeper | null;
  lookEveryMs: number;
  log: Log;
  answer: Answer;
}>;

type Handlers = Readonly<{
  idleTimeout: number;
  maxRequestBodySize: number;
  fetch: ReturnType<typeof createFetch>;
  websocket: ReturnType<typeof createWebSockets>;
}>;
type Listener = Bun.Server<SocketHandler>;
type State = { current: Listener; readonly earlier: Set<Listener> };

const MAX_BODY_BYTES = 2 ** 40;
const IDLE_TIMEOUT_S = 120;
const PORT_POLL_MS = 10;
const PORT_POLLS = 100;

const readTls = (certificate: CertificateKeeper | null) => {
  if (certificate === null) return {};
  const { key, certificate: cert } = certificate.pair();
  return { tls: { key, cert } };
};

/** What a listener of Bun does with requests; `localUser`: whose requests alone come in there. */
export const createHandlers = (answer: Answer, localUser?: LocalUser): Handlers => ({
  idleTimeout: IDLE_TIMEOUT_S,
  maxRequestBodySize: MAX_BODY_BYTES,
  fetch: createFetch(answer, { idleTimeoutS: IDLE_TIMEOUT_S, ...(localUser === undefined ? {} : { localUser }) }),
  websocket: createWebSockets(),
});

const listen = ({ host, port, certificate, answer }: HttpServerOptions): Listener =>
  Bun.serve({ hostname: host, port, ...readTls(certificate), ...createHandlers(answer) });

const listenAgain = async (options: HttpServerOptions): Promise<Listener> => {
  for (let poll = 1; poll < PORT_POLLS; poll += 1) {
    try {
      return listen(options);
    } catch {
      await pause(PORT_POLL_MS);
    }
  }
  return listen(options);
};

const replaceListener = async (state: State, options: HttpServerOptions): Promise<void> => {
  const { current, earlier } = state;
  const port = current.port ?? options.port;
  earlier.add(current);
  void current.stop().then(() => earlier.delete(current));
  state.current = await listenAgain({ ...options, port });
};

const watchCertificate = (state: State, options: HttpServerOptions): (() => void) => {
  const { certificate, lookEveryMs, log } = options;
  if (certificate === null) return () => undefined;
  let isLooking = false;
  const look = async (): Promise<void> => {
    if (isLooking) return;
    isLooking = true;
    try {
      if (!(await certificate.look())) return;
      await replaceListener(state, options);
      log.info("certificate taken", { fingerprint: certificate.pair().facts.fingerprint });
    } catch (error) {
      log.error("certificate can't be served", { reason: describeError(error) });
    } finally {
      isLooking = false;
    }
  };
  const timer = setInterval(look, lookEveryMs);
  return () => clearInterval(timer);
};

const describeAddress = ({ url, hostname, port }: Listener): string => `${url.protocol}//${hostname}:${port}`;

const tryListen = (options: HttpServerOptions): Result<Listener, Problem> => {
  try {
    return ok(listen(options));
  } catch (error) {
    return err({ message: `${options.host}:${options.port} can't be listened on: ${describeError(error)}` });
  }
};

/** Another certificate is served from the next connection on; what is connected stays so. TLS is 1.2 or later, as Bun has it. */
export const startHttpServer = (options: HttpServerOptions): Result<HttpServer, Problem> => {
  const first = tryListen(options);
  if (!first.ok) return first;
  const state: State = { current: first.value, earlier: new Set() };
  const endWatch = watchCertificate(state, options);
  const stop = async (): Promise<void> => {
    endWatch();
    await Promise.all([state.current, ...state.earlier].map((listener) => listener.stop(true)));
  };
  return ok({ url: describeAddress(first.value), stop });
};
