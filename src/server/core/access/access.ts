import { err, ok, type Result } from "../../../base/result.ts";
import { type AgentLimits, USUAL_LIMITS } from "../jobs/agent-limits.ts";
import type { LoopbackTrust } from "./loopback.ts";
import { checkAddressed, isLoopback } from "./server-hosts.ts";

export const ROLES = ["viewer", "agent", "user", "admin"] as const;

/** A viewer reads, a user also submits and changes jobs of the same name, an agent does so within limits of its own, an admin may do all. */
export type Role = (typeof ROLES)[number];

/** `agent` are the limits of one. `name` is null where nobody proves one: on trusted loopback, with the setting `api_token`, on an open route. */
export type Identity = Readonly<{
  name: string | null;
  role: Role;
  via: "loopback" | "socket" | "token" | "nothing";
  agent?: AgentLimits;
}>;

/** Whom the kernel names at the far end of a connection of this machine; `isOwner`: root, or the server's own user. */
export type LocalUser = Readonly<{ user: string; isOwner: boolean }>;

/** Where a request came in. `holder` is null where nobody can be named, as of all that is not loopback. */
export type Source =
  | Readonly<{ kind: "network"; address: string; holder: LocalUser | null }>
  | (Readonly<{ kind: "socket" }> & LocalUser);

/** Who of the machine is let in without a token: `isShared` where the server, `owner`'s, is for all of its users. `roles` are by name; without one, user. */
export type LocalRules = Readonly<{
  loopback: LoopbackTrust;
  isShared: boolean;
  owner: string;
  roles: ReadonlyMap<string, Role>;
}>;

/** `isGuessable`: so short that trying is no hopeless way to find it. */
export type Credential =
  | Readonly<{ kind: "absent" | "wrong" | "expired" }>
  | Readonly<{ kind: "token"; name: string | null; role: Role; isGuessable: boolean; limits?: AgentLimits | null }>;

/** `contribute` is what a user may do and no job's owner is asked for. */
export type Asked =
  | Readonly<{ act: "enter" | "read" | "contribute" | "administer" | "pass a blacklist" }>
  | Readonly<{ act: "submit as" | "reserve for"; user: string }>
  | Readonly<{ act: "unreserve"; reservation: string; owner: string }>
  | Readonly<{ act: "change" | "type into"; job: string; owner: string }>;

/**
 * `serverHosts` are names as `normalizeHost` returns them. `isOpen`: the route asks for no credentials.
 * `isGuessing`: too many wrong tokens came from there lately.
 */
export type AccessFacts = Readonly<{
  asked: Asked;
  isOpen: boolean;
  source: Source;
  host: string | null;
  origin: string | null;
  serverHosts: ReadonlySet<string>;
  local: LocalRules;
  credential: Credential;
  isGuessing: boolean;
}>;

export type AccessDenial = Readonly<{
  code: "FORBIDDEN_ORIGIN" | "AUTHENTICATION_REQUIRED" | "INVALID_CREDENTIALS" | "TOO_MANY_REQUESTS" | "FORBIDDEN";
  message: string;
  hint?: string;
}>;

type Denied = Result<never, AccessDenial>;

const TOKEN_HINT = "Send the header 'Authorization: Bearer TOKEN'; the server's administrator gives out tokens";
const OWN_HINT =
  "nx starts a server of your own; one for all users of the machine has the setting socket, or is installed";
const UNKNOWN_HINT =
  "Services, containers and what has closed its connection are nobody's; send a token, or use the server's socket";
const LOOPBACK_HINT = `This server trusts no address, not even this machine's own: use its socket (NEXUS_SOCKET), or a token: for nx, api_token under [targets.local] in ~/.nexus/config.toml`;
const SUBMIT_HINT = `leave the user out or name your own: nx takes it from NEXUS_USER, from the target (nx target add once more), or from "user" in ~/.nexus/config.toml`;
const FORCE_HINT = "leave out ignore_blacklist: of nx it is -f, --force";
const WATCH_HINT = "watch it with read_only=true, or nx attach --watch";

const askForToken = (message: string, hint: string): Denied => err({ code: "AUTHENTICATION_REQUIRED", message, hint });

const refuseNameless = ({ source, local }: AccessFacts): Denied => {
  const needed = "A bearer token is needed";
  if (source.kind === "socket" || !isLoopback(source.address)) return askForToken(needed, TOKEN_HINT);
  if (local.loopback === "nobody") return askForToken(needed, LOOPBACK_HINT);
  if (local.isShared) return askForToken(`${needed}: the kernel names no user of this machine`, UNKNOWN_HINT);
  const who = source.holder?.user ?? "who is not known to be a user of this machine";
  return askForToken(`This is the Nexus server of ${local.owner}: ${who} needs a token of it`, OWN_HINT);
};

const refuseCredential = (facts: AccessFacts): Denied => {
  const { credential, isGuessing } = facts;
  if (credential.kind === "absent") return refuseNameless(facts);
  if (isGuessing)
    return err({ code: "TOO_MANY_REQUESTS", message: "Too many wrong tokens came from you; wait a minute" });
  const message = credential.kind === "expired" ? "The bearer token has expired" : "The bearer token is wrong";
  return err({ code: "INVALID_CREDENTIALS", message, hint: TOKEN_HINT });
};

const addLimits = (identity: Identity, limits: AgentLimits | null = null): Identity =>
  identity.role === "agent" ? { ...identity, agent: limits ?? USUAL_LIMITS } : identity;

const nameLocal = ({ user, isOwner }: LocalUser, via: Identity["via"], { roles }: LocalRules): Identity =>
  addLimits({ name: user, role: isOwner ? "admin" : (roles.get(user) ?? "user"), via });

const identifyByLoopback = (holder: LocalUser | null, local: LocalRules): Identity | null => {
  const isTrusted = local.loopback === "anyone" || (local.loopback === "owner" && holder?.isOwner === true);
  if (isTrusted) return { name: null, role: "admin", via: "loopback" };
  const isNamed = local.loopback === "owner" && local.isShared && holder !== null;
  return isNamed ? nameLocal(holder, "loopback", local) : null;
};

const identifyLocal = ({ source, local }: AccessFacts): Identity | null => {
  if (source.kind === "socket") return nameLocal(source, "socket", local);
  return isLoopback(source.address) ? identifyByLoopback(source.holder, local) : null;
};

const identify = (facts: AccessFacts): Result<Identity, AccessDenial> => {
  const { credential, isGuessing, isOpen } = facts;
  if (credential.kind === "token" && !(credential.isGuessable && isGuessing))
    return ok(addLimits({ name: credential.name, role: credential.role, via: "token" }, credential.limits));
  const identity = identifyLocal(facts);
  if (identity !== null) return ok(identity);
  return isOpen ? ok({ name: null, role: "viewer", via: "nothing" }) : refuseCredential(facts);
};

const lack = (message: string, hint?: string): Denied =>
  err({ code: "FORBIDDEN", message, ...(hint === undefined ? {} : { hint }) });

const refuseReserver = (name: string | null, { reservation, owner }: Extract<Asked, { act: "unreserve" }>): Denied =>
  lack(`Reservation ${reservation} is of ${JSON.stringify(owner)}: ${name} can't end it`);

const refuseOwner = (name: string | null, asked: Extract<Asked, { job: string }>): Denied => {
  const isTyping = asked.act === "type into";
  const whose = `Job ${asked.job} is of ${JSON.stringify(asked.owner)}`;
  return lack(`${whose}: ${name} can't ${isTyping ? "type into" : "change"} it`, isTyping ? WATCH_HINT : undefined);
};

const nameRole = (role: Role): string => (role === "agent" ? "an agent" : "a user");

const checkReserving = ({ name, role }: Pick<Identity, "name" | "role">, user: string): Result<void, AccessDenial> => {
  if (role === "agent") return lack(`${name} is an agent, and agents reserve no GPUs`);
  return user === name ? ok(undefined) : lack(`${name} can't reserve GPUs for ${JSON.stringify(user)}`);
};

const checkUser = ({ name, role }: Identity, asked: Asked): Result<void, AccessDenial> => {
  switch (asked.act) {
    case "enter":
    case "read":
    case "contribute":
      return ok(undefined);
    case "administer":
      return lack(`Only an admin may do this, and ${name} is ${nameRole(role)}`);
    case "pass a blacklist":
      return lack(`Only an admin's jobs use GPUs that are blacklisted, and ${name} is ${nameRole(role)}`, FORCE_HINT);
    case "submit as":
      return asked.user === name
        ? ok(undefined)
        : lack(`${name} can't submit as ${JSON.stringify(asked.user)}`, SUBMIT_HINT);
    case "reserve for":
      return checkReserving({ name, role }, asked.user);
    case "unreserve":
      return asked.owner === name ? ok(undefined) : refuseReserver(name, asked);
    case "change":
    case "type into":
      return asked.owner === name ? ok(undefined) : refuseOwner(name, asked);
  }
};

const checkViewer = (name: string | null, { act }: Asked): Result<void, AccessDenial> => {
  if (act === "enter" || act === "read") return ok(undefined);
  return lack(`${name ?? "Whoever asks"} may only look`, act === "type into" ? WATCH_HINT : undefined);
};

const checkRole = (identity: Identity, asked: Asked): Result<void, AccessDenial> => {
  if (identity.role === "admin") return ok(undefined);
  return identity.role === "viewer" ? checkViewer(identity.name, asked) : checkUser(identity, asked);
};

/** Who asks, if what is asked for may be done: the one place that decides it. */
export const decideAccess = (facts: AccessFacts): Result<Identity, AccessDenial> => {
  const { host, origin, serverHosts: hosts } = facts;
  const addressed = checkAddressed({ host, origin, hosts });
  if (!addressed.ok) return err({ code: "FORBIDDEN_ORIGIN", message: addressed.error.message });
  const identity = identify(facts);
  if (!identity.ok) return identity;
  const permitted = checkRole(identity.value, facts.asked);
  return permitted.ok ? identity : permitted;
};
