import { existsSync } from "node:fs";
import { ok, type Result } from "../../base/result.ts";
import type { Failure, FlagValues } from "../../command-line/command.ts";
import { readSwitch, readText } from "../../command-line/flag-values.ts";
import { fail, failMissing, failUsage } from "../../command-line/usage.ts";
import { LOCAL_SOCKET } from "../../wire/local-socket.ts";
import { type Config, readConfig, readOption, readSwitchOption } from "../settings/config-file.ts";
import { findLocal, type LocalPlace, readLocalPort } from "./local-socket.ts";
import { isLoopback } from "./loopback.ts";
import {
  DEFAULT_PORT,
  describeBadPlace,
  describeBadPort,
  type Entry,
  findBadListener,
  findEntry,
  findWay,
  isPort,
  isServerPlace,
  isSshName,
  LOCAL,
  LOOPBACK,
  listEntries,
  readField,
  readListener,
  TARGET_USER,
  type Target,
} from "./target.ts";
import { applyVariables, explainLink, listPassedOver } from "./target-variables.ts";

const localUrl = (): string => `http://${LOOPBACK}:${readLocalPort() ?? DEFAULT_PORT}`;

const describePlace = ({ socket, triesPort }: Pick<LocalPlace, "socket" | "triesPort">): string =>
  socket === null || (triesPort && !existsSync(socket)) ? localUrl() : socket;

/** The address of the server of this machine. */
export const describeLocal = async (): Promise<string> => {
  const address = describePlace(await findLocal());
  return address.startsWith("/") ? `unix://${address}` : address;
};

const wantsStart = (config: Config, flags: FlagValues): boolean =>
  !readSwitch(flags, "no-autostart") && readSwitchOption(config, "autostart", true);

const listLocalNotes = (socket: string | null): readonly string[] =>
  readLocalPort() !== null && socket === LOCAL_SOCKET
    ? ["NS_PORT is passed over: a server is installed here; one of your own is reached with NS_SERVER_DIR"]
    : [explainLink("NS_PORT") ?? []].flat();

const applyUser = (config: Config, entry: Entry): Config => {
  const user = readField(entry, TARGET_USER);
  return user === null ? config : { ...config, user };
};

const createLocal = async (config: Config, flags: FlagValues): Promise<Result<Target, Failure>> => {
  const { mayStart, ...place } = await findLocal();
  const entry = applyVariables(LOCAL, findEntry(config, LOCAL) ?? {});
  const mistake = findBadListener(LOCAL, entry);
  if (mistake !== null) return fail(mistake);
  return ok({
    name: LOCAL,
    address: describePlace(place),
    baseUrl: localUrl(),
    ...place,
    listener: readListener(entry) ?? place.listener,
    ssh: null,
    token: readField(entry, "api_token"),
    tls: null,
    fingerprint: null,
    autostart: mayStart && wantsStart(config, flags),
    notes: [...listPassedOver(), ...listLocalNotes(place.socket)],
    config: applyUser(config, entry),
  });
};

const resolveLocal = async (config: Config, flags: FlagValues): Promise<Result<Target, Failure>> => {
  const port = readLocalPort() ?? DEFAULT_PORT;
  return isPort(port) ? createLocal(config, flags) : failUsage(describeBadPort("NS_PORT", port));
};

const refuseSshNames = (name: string, names: readonly string[]): string | null => {
  const mistaken = names.find((one) => !isSshName(one));
  return mistaken === undefined ? null : `"${mistaken}" in the target "${name}" is no name for ssh`;
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
  const mistake = findBadPort(name, entry) ?? findBadListener(name, entry);
  if (mistake !== null) return mistake;
  if (protocol === "ssh") return refuseSshNames(name, [host, readField(entry, "user") ?? "x"]);
  if (protocol === "https" || (protocol === "http" && isLoopback(host))) return null;
  return protocol === "http"
    ? `the target "${name}" would send its token unprotected: http is for this machine only, use https`
    : `the target "${name}" has the protocol "${protocol}"; there are https, ssh, and http for this machine`;
};

const choosePin = async (name: string, entry: Entry): Promise<Pick<Target, "tls" | "fingerprint">> => {
  const protocol = readField(entry, "protocol") ?? "https";
  const fingerprint = protocol === "http" ? null : readField(entry, "certificate_fingerprint");
  if (fingerprint === null) return { tls: protocol === "https" ? { rejectUnauthorized: true } : null, fingerprint };
  const { readPin } = await import("./pinned-certificate.ts");
  return { tls: readPin(name, fingerprint), fingerprint };
};

const createRemote = async (name: string, given: Entry, config: Config): Promise<Result<Target, Failure>> => {
  const entry = applyVariables(name, given);
  const refusal = refuseAddress(name, entry);
  if (refusal !== null) return fail(refusal);
  return ok({
    name,
    ...(await findWay(entry)),
    token: readField(entry, "api_token"),
    ...(await choosePin(name, entry)),
    isInstalled: false,
    autostart: false,
    notes: listPassedOver(),
    config: applyUser(config, entry),
  });
};

/** That of `-t`, then `NEXUS_TARGET`, then the file's default, then the local server. */
export const chooseTargetName = (config: Config, flags: FlagValues): string => {
  const chosen = readText(flags, "target") || process.env["NEXUS_TARGET"] || readOption(config, "default_target");
  return typeof chosen === "string" && chosen !== "" ? chosen : LOCAL;
};

export const resolveTarget = async (flags: FlagValues): Promise<Result<Target, Failure>> => {
  const config = await readConfig();
  if (!config.ok) return config;
  const name = chooseTargetName(config.value, flags);
  if (name === LOCAL) return resolveLocal(config.value, flags);
  const entry = findEntry(config.value, name);
  if (entry !== null) return createRemote(name, entry, config.value);
  const names = [LOCAL, ...Object.keys(listEntries(config.value))];
  return failMissing(`there is no target "${name}"`, `the targets are: ${names.join(", ")}`);
};
