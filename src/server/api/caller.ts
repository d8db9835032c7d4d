import type { Log } from "../core/ports.ts";
import type { AppRequest } from "./context.ts";

/** Who asks, and the log of the request, whose lines carry its id. */
export type Caller = Readonly<{ log: Log; name: string }>;

export const readCaller = (request: AppRequest): Caller => ({
  log: request.get("log"),
  name: request.env.peer.address,
});
