import { err, ok, type Problem, type Result } from "../../../base/result.ts";

/** `hosts` are the server's own names and addresses as `normalizeHost` returns them; `localhost` and loopback need not be among them. */
export type Addressed = Readonly<{ host: string | null; origin: string | null; hosts: ReadonlySet<string> }>;

const AUTHORITY = /^(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(:\d{1,5})?$/i;
const ORIGIN = /^https?:\/\/(.+)$/i;
const LOOPBACK_IPV4 = /^(::ffff:)?127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/i;
const MAPPED_LOOPBACK = /^::ffff:7f[0-9a-f]{2}:[0-9a-f]{1,4}$/;
const ALWAYS_OWN = ["localhost", "127.0.0.1", "::1"];
const UNSPECIFIED: ReadonlySet<string> = new Set(["0.0.0.0", "::"]);

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

/** Stands for all addresses of the machine. */
export const isUnspecified = (address: string): boolean => UNSPECIFIED.has(address);

export const isLoopback = (address: string): boolean =>
  address === "::1" || LOOPBACK_IPV4.test(address) || MAPPED_LOOPBACK.test(address);

/** Whether nobody on another machine can reach what listens there. */
export const isLocalHost = (name: string): boolean =>
  normalizeHost(name) === "localhost" || isLoopback(normalizeHost(name));

const parseAuthority = (authority: string): string | null => {
  const name = AUTHORITY.exec(authority)?.[1];
  return name === undefined ? null : normalizeHost(name);
};

const parseOrigin = (origin: string): string | null => parseAuthority(ORIGIN.exec(origin)?.[1] ?? "");

const isOwn = (name: string | null, hosts: ReadonlySet<string>): boolean =>
  name !== null && (isLocalHost(name) || hosts.has(name));

const explain = (host: string, hosts: ReadonlySet<string>): string => {
  const names = [...new Set([...ALWAYS_OWN, ...hosts])].filter((name) => !isUnspecified(name));
  return `This server is not called ${host}, but ${names.join(", ")}; the setting allowed_hosts adds names`;
};

/** A page of another site can't send a request that passes, whatever its site's name leads to. */
export const checkAddressed = ({ host, origin, hosts }: Addressed): Result<void, Problem> => {
  if (host === null) return err({ message: "The request names no host" });
  if (!isOwn(parseAuthority(host), hosts)) return err({ message: explain(host, hosts) });
  if (origin === null || isOwn(parseOrigin(origin), hosts)) return ok(undefined);
  return err({ message: `Pages of ${origin} may not use this server` });
};
