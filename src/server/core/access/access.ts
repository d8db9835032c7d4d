import { err, ok, type Result } from "../../../base/result.ts";

export const ROLES = ["viewer", "user", "admin"] as const;

/** A viewer reads, a user also submits and changes jobs of the same name, an admin may do all. */
export type Role = (typeof ROLES)[number];

/** `name` is null where nobody proves one: on trusted loopback, with the setting `api_token`, on an open route. */
export type Identity = Readonly<{
  name: string | null;
  role: Role;
  via: "loopback" | "socket" | "token" | "nothing";
}>;

/** Whom the kernel names at the far end of a socket; `isOwner`: root, or the server's own user. */
export type LocalUser = Readonly<{ user: string; isOwner: boolean }>;

/** Where a request came in. */
export type Source = Readonly<{ kind: "network"; address: string }> | (Readonly<{ kind: "socket" }> & LocalUser);

/** `isGuessable`: so short that trying is no hopeless way to find it. */
export type Credential =
  | Readonly<{ kind: "absent" | "wrong" | "expired" }>
  | Readonly<{ kind: "token"; name: string | null; role: Role; isGuessable: boolean }>;

/** `contribute` is what a user may do and no job's owner is asked for. */
export type Asked =
  | Readonly<{ act: "enter" | "read" | "contribute" | "administer" }>
  | Readonly<{ act: "submit as"; user: string }>
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
  trustsLoopback: boolean;
  credential: Credential;
  isGuessing: boolean;
}>;

export type AccessDenial = Readonly<{
  code: "FORBIDDEN_ORIGIN" | "AUTHENTICATION_REQUIRED" | "INVALID_CREDENTIALS" | "TOO_MANY_REQUESTS" | "FORBIDDEN";
  message: string;
  hint?: string;
}>;

type Denied = Result<never, AccessDenial>;

const AUTHORITY = /^(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(:\d{1,5})?$/i;
const ORIGIN = /^https?:\/\/(.+)$/i;
const LOOPBACK_IPV4 = /^(::ffff:)?127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/i;
const MAPPED_LOOPBACK = /^::ffff:7f[0-9a-f]{2}:[0-9a-f]{1,4}$/;
const TOKEN_HINT = "Send the header 'Authorization: Bearer TOKEN'; the server's administrator gives out tokens";
const LOOPBACK_HINT = `This server trusts no address, not even this machine's own: use its socket (NEXUS_SOCKET), or a token: for nx, api_token under [targets.local] in ~/.nexus/config.toml`;
const SUBMIT_HINT = `leave the user out or name your own: nx takes it from NEXUS_USER or "user" in ~/.nexus/config.toml`;
const WATCH_HINT = "watch it with read_only=true, or nx attach --watch";

const shortenIpv6 = (address: string): string =>
  URL.canParse(`http://[${address}]/`) ? new URL(`http://[${address}]/`).hostname.slice(1, -1) : address;

/** A host name or address as it is compared: lower case, no brackets, no trailing dot, IPv6 in its shortest form. */
export const normalizeHost = (name: string): string => {
  const bare = name
    .trim()
    .toLowerCase()
    .replace(/^\[(.*)\]$/, "$1")
    .replace(/\.$/, "");
  return bare.includes(":") ? shortenIpv6(bare) : bare;
};

export const isLoopback = (address: string): boolean =>
  address === "::1" || LOOPBACK_IPV4.test(address) || MAPPED_LOOPBACK.test(address);

const parseAuthority = (authority: string): string | null => {
  const name = AUTHORITY.exec(authority)?.[1];
  return name === undefined ? null : normalizeHost(name);
};

const parseOrigin = (origin: string): string | null => parseAuthority(ORIGIN.exec(origin)?.[1] ?? "");

const isServerHost = (name: string | null, serverHosts: ReadonlySet<string>): boolean =>
  name !== null && (name === "localhost" || isLoopback(name) || serverHosts.has(name));

const forbid = (message: string): Denied => err({ code: "FORBIDDEN_ORIGIN", message });

const checkSource = ({ host, origin, serverHosts }: AccessFacts): Result<void, AccessDenial> => {
  if (host === null) return forbid("The request names no host");
  if (!isServerHost(parseAuthority(host), serverHosts)) return forbid(`This server is not called ${host}`);
  if (origin === null || isServerHost(parseOrigin(origin), serverHosts)) return ok(undefined);
  return forbid(`Pages of ${origin} may not use this server`);
};

const isOwnMachine = (source: Source): boolean => source.kind === "network" && isLoopback(source.address);

const refuseCredential = ({ credential, isGuessing, source }: AccessFacts): Denied => {
  const hint = isOwnMachine(source) ? LOOPBACK_HINT : TOKEN_HINT;
  if (credential.kind === "absent")
    return err({ code: "AUTHENTICATION_REQUIRED", message: "A bearer token is needed", hint });
  if (isGuessing)
    return err({ code: "TOO_MANY_REQUESTS", message: "Too many wrong tokens came from your address; wait a minute" });
  const message = credential.kind === "expired" ? "The bearer token has expired" : "The bearer token is wrong";
  return err({ code: "INVALID_CREDENTIALS", message, hint });
};

const identify = (facts: AccessFacts): Result<Identity, AccessDenial> => {
  const { credential, source, isGuessing, trustsLoopback, isOpen } = facts;
  if (credential.kind === "token" && !(credential.isGuessable && isGuessing))
    return ok({ name: credential.name, role: credential.role, via: "token" });
  if (source.kind === "socket")
    return ok({ name: source.user, role: source.isOwner ? "admin" : "user", via: "socket" });
  if (trustsLoopback && isOwnMachine(source)) return ok({ name: null, role: "admin", via: "loopback" });
  return isOpen ? ok({ name: null, role: "viewer", via: "nothing" }) : refuseCredential(facts);
};

const lack = (message: string, hint?: string): Denied =>
  err({ code: "FORBIDDEN", message, ...(hint === undefined ? {} : { hint }) });

const refuseOwner = (name: string | null, asked: Extract<Asked, { owner: string }>): Denied => {
  const isTyping = asked.act === "type into";
  const whose = `Job ${asked.job} is of ${JSON.stringify(asked.owner)}`;
  return lack(`${whose}: ${name} can't ${isTyping ? "type into" : "change"} it`, isTyping ? WATCH_HINT : undefined);
};

const checkUser = (name: string | null, asked: Asked): Result<void, AccessDenial> => {
  switch (asked.act) {
    case "enter":
    case "read":
    case "contribute":
      return ok(undefined);
    case "administer":
      return lack(`Only an admin may do this, and ${name} is a user`);
    case "submit as":
      return asked.user === name
        ? ok(undefined)
        : lack(`${name} can't submit as ${JSON.stringify(asked.user)}`, SUBMIT_HINT);
    case "change":
    case "type into":
      return asked.owner === name ? ok(undefined) : refuseOwner(name, asked);
  }
};

const checkViewer = (name: string | null, { act }: Asked): Result<void, AccessDenial> => {
  if (act === "enter" || act === "read") return ok(undefined);
  return lack(`${name ?? "Whoever asks"} may only look`, act === "type into" ? WATCH_HINT : undefined);
};

const checkRole = ({ name, role }: Identity, asked: Asked): Result<void, AccessDenial> => {
  if (role === "admin") return ok(undefined);
  return role === "user" ? checkUser(name, asked) : checkViewer(name, asked);
};

/** Who asks, if what is asked for may be done: the one place that decides it. */
export const decideAccess = (facts: AccessFacts): Result<Identity, AccessDenial> => {
  const source = checkSource(facts);
  if (!source.ok) return source;
  const identity = identify(facts);
  if (!identity.ok) return identity;
  const permitted = checkRole(identity.value, facts.asked);
  return permitted.ok ? identity : permitted;
};
