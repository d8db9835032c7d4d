import type { Caller } from "../../changes/context.ts";
import { isUserName } from "../../core/access/access-token.ts";
import type { AppRequest } from "../context.ts";

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
  const name = user === null ? address : `${user} at ${address}`;
  const identity = request.get("identity");
  return { log: request.get("log"), name, isAdmin: identity?.role === "admin", agent: identity?.agent };
};
