import type { LocalUser } from "../../core/access/access.ts";
import type { SocketHandler } from "../../core/running/job-terminal.ts";

export type HttpPeer = Readonly<{
  address: string;
  localUser?: LocalUser;
  pendingRequests: number;
  holdOpen: (isHeld: boolean) => void;
  upgrade: (handler: SocketHandler) => boolean;
}>;

type HttpServer = Bun.Server<SocketHandler>;
type Fetch = (request: Request, server: HttpServer) => Promise<Response | undefined>;
export type Answer = (request: Request, peer: HttpPeer) => Response | Promise<Response>;

const NEVER = 0;

const describeOrigin = (request: Request, server: HttpServer, { localUser }: Line) =>
  localUser === undefined
    ? { address: server.requestIP(request)?.address ?? "" }
    : { address: `socket:${localUser.user}`, localUser };

const describePeer = (request: Request, server: HttpServer, line: Line): Omit<HttpPeer, "upgrade"> => ({
  ...describeOrigin(request, server, line),
  pendingRequests: server.pendingRequests,
  holdOpen: (isHeld) => server.timeout(request, isHeld ? NEVER : line.idleTimeoutS),
});

type Line = Readonly<{ idleTimeoutS: number; localUser?: LocalUser }>;

/**
 * What the server calls for each request: no response follows one that became a WebSocket. `localUser`: whose requests alone
 * come in here.
 */
export const createFetch =
  (answer: Answer, line: Line): Fetch =>
  async (request, server) => {
    let isUpgraded = false;
    const upgrade = (data: SocketHandler): boolean => {
      isUpgraded = server.upgrade(request, { data });
      return isUpgraded;
    };
    const response = await answer(request, { ...describePeer(request, server, line), upgrade });
    return isUpgraded ? undefined : response;
  };
