import { ok, type Problem, type Result } from "../../../base/result.ts";
import type { LocalUser } from "../../core/access/access.ts";
import type { Settings } from "../../core/settings/settings.ts";
import type { Answer } from "./http-requests.ts";
import { createHandlers, type HttpServer, type HttpServerOptions, startHttpServer } from "./http-server.ts";

/** Who answers, and with which certificate. */
export type Calls = Pick<HttpServerOptions, "answer" | "certificate" | "log">;

const MS_PER_S = 1000;

const hideFromTypes = (unix: string): object => ({ unix });

const serveSocket = async ({ socket, serverDir }: Settings, answer: Answer) => {
  if (socket === null) return ok({ close: async () => {} });
  const { serveLocalUsers } = await import("../local-users/local-users.ts");
  const serve = (unix: string, user: LocalUser) =>
    Bun.serve({ ...hideFromTypes(unix), ...createHandlers(answer, user) });
  return serveLocalUsers({ path: socket, serverDir, serve });
};

const serveNetwork = ({ host, port, refreshRate }: Settings, { answer, certificate, log }: Calls) =>
  startHttpServer({ host, port, lookEveryMs: refreshRate * MS_PER_S, answer, certificate, log });

/** Listens on a socket for the users of this machine, where the settings name one, and then on the network, whose address is the `url`. */
export const listen = async (settings: Settings, calls: Calls): Promise<Result<HttpServer, Problem>> => {
  const local = await serveSocket(settings, calls.answer);
  if (!local.ok) return local;
  const http = serveNetwork(settings, calls);
  if (!http.ok) {
    await local.value.close();
    return http;
  }
  const stop = async (): Promise<void> => {
    await Promise.all([http.value.stop(), local.value.close()]);
  };
  return ok({ url: http.value.url, stop });
};
