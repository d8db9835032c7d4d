import { ok, type Result } from "../../base/result.ts";
import type { Failure, FlagValues } from "../../command-line/command.ts";
import { readSwitch, readText } from "../../command-line/flag-values.ts";
import { fail, failUsage } from "../../command-line/usage.ts";
import { SERVER_PORT } from "../../wire/server-port.ts";
import { type Config, readConfig, readOption, readSwitchOption } from "../settings/config-file.ts";
import { findLocalSocket } from "./local-socket.ts";
import type { Pin } from "./pinned-certificate.ts";
import type { SshAddress } from "./ssh-place.ts";

/** `address` is as the user gave it. `socket` is the Unix socket by which `baseUrl` is reached, `tls` goes to `fetch` and
 * `WebSocket` as it is; `fingerprint` is the pinned certificate's. */
export type Target = Readonly<{
  name: string;
  address: string;
  baseUrl: string;
  socket: string | null;
  ssh: SshAddress | null;
  token: string | null;
  tls: Pin | null;
  fingerprint: string | null;
  autostart: boolean;
  config: Config;
}>;

export const LOCAL = "local";
const LOOPBACK = "127.0.0.1";
export const DEFAULT_PORT = String(SERVER_PORT);
const MAX_PORT = 65_535;

type Entry = Readonly<Record<string, unknown>>;

const isEntry = (value: unknown): value is Entry => typeof value === "object" && value !== null;

const readEntries = (config: Config): readonly (readonly [string, Entry])[] => {
  const targets = config["targets"];
  if (!isEntry(targets)) return [];
  return Object.entries(targets).flatMap(([name, entry]) => (isEntry(entry) ? [[name, entry] as const] : []));
};

/** The remote targets of the file, as they stand there. */
export const listEntries = (config: Config): Readonly<Record<string, Entry>> =>
  Object.fromEntries(readEntries(config).filter(([name]) => name !== LOCAL));

/** Null for a target that is not in the file. */
export const findEntry = (config: Config, name: string): Entry | null => {
  const entries = listEntries(config);
  return Object.hasOwn(entries, name) ? (entries[name] ?? null) : null;
};

const readField = (entry: Entry, field: string): string | null => {
  const value = readOption(entry, field);
  return value === undefined || value === null || value === "" ? null : String(value);
};

export const isLoopback = (host: string): boolean => /^(localhost|127\.[0-9.]+|\[?::1\]?)$/.test(host);

const describeSsh = (entry: Entry): string => {
  const [user, port] = [readField(entry, "user"), readField(entry, "port")];
  return `ssh://${user === null ? "" : `${user}@`}${bracket(readField(entry, "host") ?? "")}${port === null ? "" : `:${port}`}`;
};

const bracket = (host: string): string => (host.includes(":") && !host.startsWith("[") ? `[${host}]` : host);

/** As `https://host:port` or `ssh://user@host`. */
export const describeAddress = (entry: Entry): string => {
  const protocol = readField(entry, "protocol") ?? "https";
  if (protocol === "ssh") return describeSsh(entry);
  return `${protocol}://${bracket(readField(entry, "host") ?? "")}:${readField(entry, "port") ?? DEFAULT_PORT}`;
};

/** Without a socket. */
export const localUrl = (): string => `http://${LOOPBACK}:${process.env["NS_PORT"] || DEFAULT_PORT}`;

const isPort = (text: string): boolean => /^\d{1,5}$/.test(text) && Number(text) > 0 && Number(text) <= MAX_PORT;

const describeBadPort = (whose: string, port: string): string =>
  `${whose} is "${port}", but a port is a whole number from 1 to ${MAX_PORT}`;

const SSH_NAME = /^[\w.:+][\w.:+-]*$/;

/** A name that begins with - would be an option of ssh. */
export const isSshName = (text: string): boolean => SSH_NAME.test(text);

const refuseSshNames = (name: string, names: readonly string[]): string | null => {
  const mistaken = names.find((one) => !isSshName(one));
  return mistaken === undefined ? null : `"${mistaken}" in the target "${name}" is no name for ssh`;
};

/** A port, or the path of a Unix socket. */
export const isServerPlace = (text: string): boolean => isPort(text) || /^\/[\w./-]+$/.test(text);

export const describeBadPlace = (whose: string, place: string): string =>
  `${whose} is "${place}", but a server listens on a port or at a path such as /run/nexus-server/nexus.sock`;

const readLocalToken = (config: Config): string | null => {
  const token = readEntries(config).find(([name]) => name === LOCAL)?.[1]["api_token"];
  return typeof token === "string" && token !== "" ? token : null;
};

const mayStart = (config: Config, flags: FlagValues): boolean =>
  !readSwitch(flags, "no-autostart") && readSwitchOption(config, "autostart", true);

const createLocal = (config: Config, flags: FlagValues, socket: string | null): Target => ({
  name: LOCAL,
  address: socket ?? localUrl(),
  baseUrl: localUrl(),
  socket,
  ssh: null,
  token: readLocalToken(config),
  tls: null,
  fingerprint: null,
  autostart: socket === null && mayStart(config, flags),
  config,
});

const reachWithoutProxy = (): void => {
  const direct = process.env["no_proxy"] ?? process.env["NO_PROXY"] ?? "";
  const hosts = [...direct.split(",").filter((host) => host !== "" && host !== LOOPBACK), LOOPBACK].join(",");
  process.env["no_proxy"] = hosts;
  process.env["NO_PROXY"] = hosts;
};

const findBadPort = (name: string, entry: Entry): string | null => {
  const port = readField(entry, "port") ?? DEFAULT_PORT;
  const place = readField(entry, "server_at") ?? DEFAULT_PORT;
  if (!isPort(port)) return describeBadPort(`the port of the target "${name}"`, port);
  return isServerPlace(place) ? null : describeBadPlace(`server_at of the target "${name}"`, place);
};

const refuseAddress = (name: string, entry: Entry): string | null => {
  const host = readField(entry, "host");
  const protocol = readField(entry, "protocol") ?? "https";
  if (host === null) return `~/.nexus/config.toml: [targets.${name}] has no host`;
  const mistake = findBadPort(name, entry);
  if (mistake !== null) return mistake;
  if (protocol === "ssh") return refuseSshNames(name, [host, readField(entry, "user") ?? "x"]);
  if (protocol === "https" || (protocol === "http" && isLoopback(host))) return null;
  return protocol === "http"
    ? `the target "${name}" would send its token unprotected: http is for this machine only, use https`
    : `the target "${name}" has the protocol "${protocol}"; there are https, ssh, and http for this machine`;
};

const reachThroughSsh = async (entry: Entry): Promise<Pick<Target, "baseUrl" | "socket" | "ssh">> => {
  const { locateTunnel } = await import("./ssh-place.ts");
  const port = readField(entry, "port");
  const ssh = {
    user: readField(entry, "user"),
    host: readField(entry, "host") ?? "",
    port: port === null ? null : Number(port),
    serverAt: readField(entry, "server_at") ?? DEFAULT_PORT,
  };
  const scheme = readField(entry, "certificate_fingerprint") === null ? "http" : "https";
  return {
    baseUrl: `${scheme}://${LOOPBACK}:${isPort(ssh.serverAt) ? ssh.serverAt : DEFAULT_PORT}`,
    socket: locateTunnel(ssh),
    ssh,
  };
};

/** How the server of an entry is reached; nothing is reached yet. */
export const findWay = async (entry: Entry): Promise<Pick<Target, "address" | "baseUrl" | "socket" | "ssh">> => {
  const address = describeAddress(entry);
  return readField(entry, "protocol") === "ssh"
    ? { address, ...(await reachThroughSsh(entry)) }
    : { address, baseUrl: address, socket: null, ssh: null };
};

const createRemote = async (name: string, entry: Entry, config: Config): Promise<Result<Target, Failure>> => {
  const refusal = refuseAddress(name, entry);
  if (refusal !== null) return fail(refusal);
  const fingerprint = readField(entry, "protocol") === "http" ? null : readField(entry, "certificate_fingerprint");
  const pinning = fingerprint === null ? null : await import("./pinned-certificate.ts");
  return ok({
    name,
    ...(await findWay(entry)),
    token: readField(entry, "api_token"),
    tls: fingerprint === null || pinning === null ? null : pinning.readPin(name, fingerprint),
    fingerprint,
    autostart: false,
    config,
  });
};

const resolveLocal = async (config: Config, flags: FlagValues): Promise<Result<Target, Failure>> => {
  const port = process.env["NS_PORT"] || DEFAULT_PORT;
  if (!isPort(port)) return failUsage(describeBadPort("NS_PORT", port));
  reachWithoutProxy();
  return ok(createLocal(config, flags, await findLocalSocket()));
};

/** `-t`, then `NEXUS_TARGET`, then the file's default, then the local server. */
export const resolveTarget = async (flags: FlagValues): Promise<Result<Target, Failure>> => {
  const config = await readConfig();
  if (!config.ok) return config;
  const chosen = readText(flags, "target") || process.env["NEXUS_TARGET"] || readOption(config.value, "default_target");
  const name = typeof chosen === "string" && chosen !== "" ? chosen : LOCAL;
  if (name === LOCAL) return resolveLocal(config.value, flags);
  const entry = findEntry(config.value, name);
  if (entry !== null) return createRemote(name, entry, config.value);
  const names = [LOCAL, ...Object.keys(listEntries(config.value))];
  return failUsage(`there is no target "${name}"; the targets are: ${names.join(", ")}`);
};
