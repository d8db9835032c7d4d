import { ok, type Problem, type Result } from "../../../base/result.ts";
import { SERVER_PORT } from "../../../wire/server-port.ts";
import type { LocalUser } from "../../core/access/access.ts";
import { isLocalHost } from "../../core/access/server-hosts.ts";
import type { Settings } from "../../core/settings/settings.ts";
import { serveLocalUsers } from "../local-users/local-users.ts";
import { createFindHolder } from "../local-users/loopback-holders.ts";
import { readOverflowUid } from "../local-users/overflow-uid.ts";
import { preparePersonalSocket } from "../local-users/personal-socket.ts";
import { createUserNames, type FindUserName } from "../machine/user-names.ts";
import { type HttpServer, type HttpServerOptions, startHttpServer } from "./http-server.ts";
import { createHandlers } from "./listener.ts";
import { choosePlaces } from "./places.ts";

/** Who answers, with which certificate, and who the server is. */
export type Calls = Pick<HttpServerOptions, "answer" | "certificate" | "log"> & Readonly<{ serverUser: string }>;

export type Listening = HttpServer & Readonly<{ socket: string }>;

const MS_PER_S = 1000;
const ANY_FREE = [0, 0, 0];

const hideFromTypes = (unix: string): object => ({ unix });

const serveSocket = (path: string, { socket, serverDir }: Settings, calls: Calls, findName: FindUserName) => {
  const serve = (unix: string, localUser: LocalUser) =>
    Bun.serve({ ...hideFromTypes(unix), ...createHandlers(calls.answer, { localUser }) });
  return serveLocalUsers({ path, serverDir, serve, findName, isPersonal: socket === null });
};

const choosePorts = ({ port, host, socket }: Settings): readonly number[] => {
  if (port !== null) return port === 0 ? ANY_FREE : [port];
  return socket === null && isLocalHost(host) ? [SERVER_PORT, ...ANY_FREE] : [SERVER_PORT];
};

const serveNetwork = (settings: Settings, { serverUser, ...calls }: Calls, findName: FindUserName) => {
  const { host, refreshRate, jobUidMin } = settings;
  const rules = { serverUid: process.getuid?.() ?? 0, minUid: jobUidMin, overflowUid: readOverflowUid() };
  const findHolder = createFindHolder({ serverUser, rules, findName, log: calls.log });
  const where = { places: choosePlaces(host), ports: choosePorts(settings), lookEveryMs: refreshRate * MS_PER_S };
  return startHttpServer({ ...calls, ...where, findHolder });
};

/** Listens on a socket, that of the settings for the users of this machine or one for the server's own, and then on the network. */
export const listen = async (settings: Settings, calls: Calls): Promise<Result<Listening, Problem>> => {
  const path = settings.socket === null ? preparePersonalSocket(settings.serverDir) : ok(settings.socket);
  if (!path.ok) return path;
  const findName = createUserNames();
  const local = await serveSocket(path.value, settings, calls, findName);
  if (!local.ok) return local;
  const http = serveNetwork(settings, calls, findName);
  if (!http.ok) {
    await local.value.close();
    return http;
  }
  const stop = async (): Promise<void> => {
    await Promise.all([http.value.stop(), local.value.close()]);
  };
  return ok({ urls: http.value.urls, socket: path.value, stop });
};
