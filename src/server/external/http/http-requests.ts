import type { EndAddress } from "../../../tools/sockets/end-address.ts";
import type { LocalUser } from "../../core/access/access.ts";
import { isLoopback } from "../../core/access/server-hosts.ts";
import type { SocketHandler } from "../../core/running/job-terminal.ts";

export type HttpPeer = Readonly<{
  address: string;
  localUser?: LocalUser;
  holder: LocalUser | null;
  pendingRequests: number;
  holdOpen: (isHeld: boolean) => void;
  upgrade: (handler: SocketHandler) => boolean;
}>;

/**
 * `localUser`: whose requests alone come in here. `findHolder` is asked in the turn in which the address was read; without it
 * nobody is named on loopback. Without `countPending` only the listener's own requests count.
 */
export type Line = Readonly<{
  idleTimeoutS: number;
  localUser?: LocalUser;
  findHolder?: (far: EndAddress) => Promise<LocalUser | null>;
  countPending?: () => number;
}>;

type HttpServer = Bun.Server<SocketHandler>;
type Fetch = (request: Request, server: HttpServer) => Promise<Response | undefined>;
export type Answer = (request: Request, peer: HttpPeer) => Response | Promise<Response>;

const NEVER = 0;

const describePeer = async (request: Request, server: HttpServer, line: Line): Promise<Omit<HttpPeer, "upgrade">> => {
  const { localUser, findHolder, countPending, idleTimeoutS } = line;
  const far = server.requestIP(request);
  const finding = far !== null && isLoopback(far.address) ? findHolder?.(far) : undefined;
  return {
    ...(localUser === undefined ? { address: far?.address ?? "" } : { address: `socket:${localUser.user}`, localUser }),
    holder: (await finding) ?? null,
    pendingRequests: countPending?.() ?? server.pendingRequests,
    holdOpen: (isHeld) => server.timeout(request, isHeld ? NEVER : idleTimeoutS),
  };
};

/** What the server calls for each request: no response follows one that became a WebSocket. */
export const createFetch =
  (answer: Answer, line: Line): Fetch =>
  async (request, server) => {
    let isUpgraded = false;
    const upgrade = (data: SocketHandler): boolean => {
      isUpgraded = server.upgrade(request, { data });
      return isUpgraded;
    };
    const response = await answer(request, { ...(await describePeer(request, server, line)), upgrade });
    return isUpgraded ? undefined : response;
  };
