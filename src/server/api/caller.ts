import { isUserName } from "../core/access-token.ts";
import type { Log } from "../core/ports.ts";
import type { AppRequest } from "./context.ts";

/** Who asks, and the log of the request, whose lines carry its id. */
export type Caller = Readonly<{ log: Log; name: string }>;

const decodeUser = (sent: string | undefined): string | null => {
  try {
    const user = decodeURIComponent(sent ?? "");
    return isUserName(user) ? user : null;
  } catch {
    return null;
  }
};

/** Whom the server knows the caller to be, else who the client says it is: nothing is allowed or refused for that. */
export const nameUser = (request: AppRequest): string | null =>
  request.get("identity")?.name ?? decodeUser(request.req.header("x-nexus-user"));

export const readCaller = (request: AppRequest): Caller => {
  const { address } = request.env.peer;
  const user = nameUser(request);
  return { log: request.get("log"), name: user === null ? address : `${user} at ${address}` };
};
