import { ok, type Result } from "../../base/result.ts";
import type { Failure } from "../../command-line/command.ts";
import { failUsage } from "../../command-line/usage.ts";
import { isLoopback } from "./loopback.ts";
import { DEFAULT_PORT, isSshName } from "./target.ts";

/** The address of a target as it stands in `config.toml`. */
export type TargetAddress =
  | Readonly<{ host: string; port: number; protocol: "http" | "https" }>
  | Readonly<{ host: string; port?: number; user?: string; server_at?: string | number; protocol: "ssh" }>;

const EXAMPLE = "https://gpu-box.example:54323";
const SSH_EXAMPLE = "ssh://ada@gpu-box";
const PROTOCOLS = ["https:", "http:", "ssh:"];
const NAME = /^[A-Za-z0-9][A-Za-z0-9_-]*$/;
const RESERVED: readonly string[] = ["local", "add", "list", "remove"];

export const checkTargetName = (name: string): Result<string, Failure> => {
  if (RESERVED.includes(name)) return failUsage(`"${name}" can't be a target's name: it means something already`);
  return NAME.test(name) ? ok(name) : failUsage(`a target's name has letters, digits, - and _, unlike "${name}"`);
};

const findMistake = (url: URL): string | null => {
  if (!PROTOCOLS.includes(url.protocol)) return `a target's address is like ${EXAMPLE} or ${SSH_EXAMPLE}`;
  if (url.password !== "") return "leave the password out of the address: it is asked for";
  if (url.username !== "" && url.protocol !== "ssh:") return "leave the user out of the address: a token is asked for";
  if (!["/", ""].includes(url.pathname) || url.search !== "" || url.hash !== "")
    return "a target's address ends with its port";
  if (url.protocol === "http:" && !isLoopback(url.hostname))
    return `http would send the token unprotected: use https://${url.host} (http is for this machine only)`;
  return null;
};

const tryParse = (text: string): URL | null => {
  try {
    return new URL(text);
  } catch {
    return null;
  }
};

const readPort = (text: string, url: URL): number => {
  const written = /^[a-z]+:\/\/[^/]*?:(\d+)\/?$/i.exec(text)?.[1];
  return Number(written ?? (url.port || DEFAULT_PORT));
};

const parseSsh = (url: URL): Result<TargetAddress, Failure> => {
  const host = url.hostname.replaceAll(/[[\]]/g, "");
  const user = url.username;
  const mistaken = [host, ...(user === "" ? [] : [user])].find((name) => !isSshName(name));
  if (mistaken !== undefined) return failUsage(`"${mistaken}" is no name for ssh`, `an address is like ${SSH_EXAMPLE}`);
  if (url.port === "0") return failUsage("a port is a whole number from 1 to 65535");
  const names = { host, ...(user === "" ? {} : { user }) };
  return ok({ ...names, ...(url.port === "" ? {} : { port: Number(url.port) }), protocol: "ssh" });
};

export const parseTargetUrl = (text: string): Result<TargetAddress, Failure> => {
  const url = text.includes("://") ? tryParse(text) : null;
  if (url === null) {
    const isBare = /^[\w.-]+(:\d+)?$/.test(text);
    return failUsage(
      isBare ? `"${text}" has no protocol: is it https://${text}?` : `"${text}" is no address such as ${EXAMPLE}`,
    );
  }
  const mistake = findMistake(url);
  if (mistake !== null) return failUsage(mistake);
  if (url.protocol === "ssh:") return parseSsh(url);
  const host = url.hostname.replaceAll(/[[\]]/g, "");
  return ok({ host, port: readPort(text, url), protocol: url.protocol === "https:" ? "https" : "http" });
};

const HTTP_PORT = 80;

/** Where the address of a server leads by plain HTTP. */
export const locatePort = (url: string): Readonly<{ host: string; port: number }> => {
  const { hostname, port } = new URL(url);
  return { host: hostname.replaceAll(/[[\]]/g, ""), port: Number(port || HTTP_PORT) };
};
