import { err, ok, type Result } from "../../../base/result.ts";
import type { Ask, Trouble } from "../../../mcp/ask.ts";
import type { WireError } from "../../../wire/error.ts";
import type { ApiContext, AppRequest, Peer } from "../context.ts";
import { passOn } from "../http/pass-on.ts";

/** The server's own answer to a request. */
export type Dispatch = (request: Request, peer: Peer) => Response | Promise<Response>;

const KEPT_HEADERS = ["host", "origin", "authorization", "x-nexus-user", "x-request-id", "user-agent"];
const NO_CONTENT = 204;

const keepHeaders = (headers: Headers): Headers =>
  new Headers(
    KEPT_HEADERS.flatMap((name): [string, string][] => {
      const value = headers.get(name);
      return value === null ? [] : [[name, value]];
    }),
  );

const readPeer = ({ address, localUser, holder = null }: Peer): Peer => ({
  address,
  holder,
  ...(localUser === undefined ? {} : { localUser }),
});

const readAnswer = async <Value>(response: Response): Promise<Result<Value, Trouble>> => {
  if (response.ok) return ok(response.status === NO_CONTENT ? (null as Value) : ((await response.json()) as Value));
  const { error: code, message, hint } = (await response.json()) as WireError;
  return err({ code, message: hint === undefined ? message : `${message} (${hint})` });
};

/** Asks this server as the request's maker does, by its routes: whatever they refuse or write down, they do here too. */
export const createServerAsk = ({ feed, meter }: ApiContext, request: AppRequest, dispatch: Dispatch): Ask => {
  const { headers, url } = request.req.raw;
  const call = async <Value>(method: string, path: string, body?: unknown): Promise<Result<Value, Trouble>> => {
    const kept = keepHeaders(headers);
    if (body !== undefined) kept.set("content-type", "application/json");
    const init = { method, headers: kept, ...(body === undefined ? {} : { body: JSON.stringify(body) }) };
    return readAnswer(await dispatch(new Request(new URL(path, url).href, init), readPeer(request.env.peer)));
  };
  return {
    get: (path) => call("GET", path),
    send: (method, path, body) => call(method, path, body),
    stream: async (_path, signal) => ok(passOn(feed.follow(null, meter.addFollower("events")), { signal })),
  };
};
