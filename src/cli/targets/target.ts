import { SERVER_PORT } from "../../wire/server-port.ts";
import type { Config } from "../settings/config-file.ts";
import type { Pin } from "./pinned-certificate.ts";
import type { SshAddress } from "./ssh-place.ts";

/** `address` is as the user gave it. `socket` is the Unix socket by which `baseUrl` is reached, with `triesPort` its port where
 * there is none; `listener` is who may have made it: the user or root, on the machine also the installed server's user, or anybody.
 * `tls` goes to `fetch` and `WebSocket` as it is; `fingerprint` is the pinned certificate's. `isInstalled`: systemd has it.
 * `notes` are for the user to read once. In `config`, `user` is whom its server knows the user as, if the target says that. */
export type Target = Readonly<{
  name: string;
  address: string;
  baseUrl: string;
  socket: string | null;
  triesPort: boolean;
  listener: "own" | "machine" | "any";
  ssh: SshAddress | null;
  token: string | null;
  tls: Pin | null;
  fingerprint: string | null;
  isInstalled: boolean;
  autostart: boolean;
  notes: readonly string[];
  config: Config;
}>;

/** A target as it stands in the file. */
export type Entry = Readonly<Record<string, unknown>>;

type Way = Pick<Target, "address" | "baseUrl" | "socket" | "triesPort" | "listener" | "ssh">;

export const LOCAL = "local";
export const LOOPBACK = "127.0.0.1";
export const DEFAULT_PORT = String(SERVER_PORT);

/** The field of an entry with the name by which its server knows the user; `user` is that of ssh. */
export const TARGET_USER = "nexus_user";

const ANYBODY = "any";
const MAX_PORT = 65_535;

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
  const entries = Object.fromEntries(readEntries(config));
  return Object.hasOwn(entries, name) ? (entries[name] ?? null) : null;
};

export const readField = (entry: Entry, field: string): string | null => {
  const value = entry[field];
  return value === undefined || value === null || value === "" ? null : String(value);
};

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

export const isPort = (text: string): boolean => /^\d{1,5}$/.test(text) && Number(text) > 0 && Number(text) <= MAX_PORT;

export const describeBadPort = (whose: string, port: string): string =>
  `${whose} is "${port}", but a port is a whole number from 1 to ${MAX_PORT}`;

const SSH_NAME = /^[\w.:+][\w.:+-]*$/;

/** A name that begins with - would be an option of ssh. */
export const isSshName = (text: string): boolean => SSH_NAME.test(text);

/** A port, or the path of a Unix socket. */
export const isServerPlace = (text: string): boolean => isPort(text) || /^\/[\w./-]+$/.test(text);

export const describeBadPlace = (whose: string, place: string): string =>
  `${whose} is "${place}", but a server listens on a port or at a path such as /run/nexus-server/nexus.sock`;

/** Who may listen, as the entry says; null where it says nothing. */
export const readListener = (entry: Entry): typeof ANYBODY | null =>
  readField(entry, "listener") === ANYBODY ? ANYBODY : null;

/** What is wrong with it; null when nothing is. */
export const findBadListener = (name: string, entry: Entry): string | null => {
  const given = readField(entry, "listener");
  return given === null || given === ANYBODY
    ? null
    : `listener of the target "${name}" is "${given}", but can only be "any"`;
};

const reachThroughSsh = async (entry: Entry): Promise<Pick<Way, "baseUrl" | "socket" | "ssh">> => {
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

/** Where its server is away, nothing is started or waited for. */
export const standBack = (target: Target): Target => ({ ...target, isInstalled: false, autostart: false });

/** How the server of an entry is reached; nothing is reached yet. */
export const findWay = async (entry: Entry): Promise<Way> => {
  const address = describeAddress(entry);
  return readField(entry, "protocol") === "ssh"
    ? { address, triesPort: false, listener: "own", ...(await reachThroughSsh(entry)) }
    : {
        address,
        baseUrl: address,
        socket: null,
        triesPort: false,
        listener: readListener(entry) ?? "machine",
        ssh: null,
      };
};
