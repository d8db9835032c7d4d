import { describeError } from "../../shared/describe-error.ts";
import { err, ok, type Result } from "../../shared/result.ts";
import type { LocalUser } from "../core/access.ts";
import type { Settings } from "../core/config.ts";
import { type Answer, createFetch } from "./http-requests.ts";
import { createWebSockets } from "./web-sockets.ts";

/** `url` is that of the network. */
export type Listening = Readonly<{ url: string; stop: () => Promise<void> }>;

type ListenError = Readonly<{ message: string }>;
type HttpServer = ReturnType<typeof serveNetwork>;

const MAX_BODY_BYTES = 2 ** 40;
const IDLE_TIMEOUT_S = 120;

const readTls = ({ sslKeyfile, sslCertfile }: Settings) =>
  sslKeyfile === null || sslCertfile === null
    ? {}
    : { tls: { key: Bun.file(sslKeyfile), cert: Bun.file(sslCertfile) } };

const createHandlers = (answer: Answer, localUser?: LocalUser) => ({
  idleTimeout: IDLE_TIMEOUT_S,
  maxRequestBodySize: MAX_BODY_BYTES,
  fetch: createFetch(answer, { idleTimeoutS: IDLE_TIMEOUT_S, ...(localUser === undefined ? {} : { localUser }) }),
  websocket: createWebSockets(),
});

const serveNetwork = (settings: Settings, answer: Answer) =>
  Bun.serve({ hostname: settings.host, port: settings.port, ...readTls(settings), ...createHandlers(answer) });

const tryServeNetwork = (settings: Settings, answer: Answer): Result<HttpServer, ListenError> => {
  try {
    return ok(serveNetwork(settings, answer));
  } catch (error) {
    const reason = describeError(error);
    return err({ message: `${settings.host}:${settings.port} can't be listened on: ${reason}` });
  }
};

const describeAddress = ({ url, hostname, port }: HttpServer): string => `${url.protocol}//${hostname}:${port}`;

const hideFromTypes = (unix: string): object => ({ unix });

const serveSocket = async ({ socket, serverDir }: Settings, answer: Answer) => {
  if (socket === null) return ok({ close: async () => {} });
  const { serveLocalUsers } = await import("./local-users.ts");
  const serve = (unix: string, user: LocalUser) =>
    Bun.serve({ ...hideFromTypes(unix), ...createHandlers(answer, user) });
  return serveLocalUsers({ path: socket, serverDir, serve });
};

/** Listens on a socket for the users of this machine, where the settings name one, and then on the network. */
export const listen = async (settings: Settings, answer: Answer): Promise<Result<Listening, ListenError>> => {
  const local = await serveSocket(settings, answer);
  if (!local.ok) return local;
  const http = tryServeNetwork(settings, answer);
  if (!http.ok) {
    await local.value.close();
    return http;
  }
  const stop = async (): Promise<void> => {
    await Promise.all([http.value.stop(true), local.value.close()]);
  };
  return ok({ url: describeAddress(http.value), stop });
};
