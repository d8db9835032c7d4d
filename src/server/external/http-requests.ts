import type { SocketHandler } from "../core/terminal.ts";

export type HttpPeer = Readonly<{
  address: string;
  pendingRequests: number;
  holdOpen: (isHeld: boolean) => void;
  upgrade: (handler: SocketHandler) => boolean;
}>;

type HttpServer = Bun.Server<SocketHandler>;
type Fetch = (request: Request, server: HttpServer) => Promise<Response | undefined>;
type Answer = (request: Request, peer: HttpPeer) => Response | Promise<Response>;

const NEVER = 0;

const describePeer = (request: Request, server: HttpServer, idleTimeoutS: number): Omit<HttpPeer, "upgrade"> => ({
  address: server.requestIP(request)?.address ?? "",
  pendingRequests: server.pendingRequests,
  holdOpen: (isHeld) => server.timeout(request, isHeld ? NEVER : idleTimeoutS),
});

/** What the server calls for each request: no response follows one that became a WebSocket. */
export const createFetch =
  (answer: Answer, idleTimeoutS: number): Fetch =>
  async (request, server) => {
    let isUpgraded = false;
    const upgrade = (data: SocketHandler): boolean => {
      isUpgraded = server.upgrade(request, { data });
      return isUpgraded;
    };
    const response = await answer(request, { ...describePeer(request, server, idleTimeoutS), upgrade });
    return isUpgraded ? undefined : response;
  };
