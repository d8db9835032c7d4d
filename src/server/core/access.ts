import { err, ok, type Result } from "../../shared/result.ts";

/** `serverHosts` are names as `normalizeHost` returns them. `isOpen`: the route asks for no credentials. */
export type AccessFacts = Readonly<{
  isOpen: boolean;
  peerAddress: string;
  host: string | null;
  origin: string | null;
  serverHosts: ReadonlySet<string>;
  token: "absent" | "wrong" | "right";
}>;

export type AccessDenial = Readonly<{
  code: "FORBIDDEN_ORIGIN" | "AUTHENTICATION_REQUIRED" | "INVALID_CREDENTIALS";
  message: string;
  hint?: string;
}>;

const AUTHORITY = /^(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(:\d{1,5})?$/i;
const ORIGIN = /^https?:\/\/(.+)$/i;
const LOOPBACK_IPV4 = /^(::ffff:)?127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/i;
const MAPPED_LOOPBACK = /^::ffff:7f[0-9a-f]{2}:[0-9a-f]{1,4}$/;
const TOKEN_HINT = "Send the header 'Authorization: Bearer TOKEN'; the server's administrator knows the token";

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

const forbid = (message: string): Result<never, AccessDenial> => err({ code: "FORBIDDEN_ORIGIN", message });

const checkSource = ({ host, origin, serverHosts }: AccessFacts): Result<void, AccessDenial> => {
  if (host === null) return forbid("The request names no host");
  if (!isServerHost(parseAuthority(host), serverHosts)) return forbid(`This server is not called ${host}`);
  if (origin === null || isServerHost(parseOrigin(origin), serverHosts)) return ok(undefined);
  return forbid(`Pages of ${origin} may not use this server`);
};

const checkCredentials = ({ isOpen, peerAddress, token }: AccessFacts): Result<void, AccessDenial> => {
  if (isOpen || isLoopback(peerAddress) || token === "right") return ok(undefined);
  return token === "absent"
    ? err({ code: "AUTHENTICATION_REQUIRED", message: "A bearer token is needed", hint: TOKEN_HINT })
    : err({ code: "INVALID_CREDENTIALS", message: "The bearer token is wrong", hint: TOKEN_HINT });
};

export const decideAccess = (facts: AccessFacts): Result<void, AccessDenial> => {
  const source = checkSource(facts);
  return source.ok ? checkCredentials(facts) : source;
};
