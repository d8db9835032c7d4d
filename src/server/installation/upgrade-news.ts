import { LOCAL_SOCKET } from "../../wire/local-socket.ts";
import { isLocalHost } from "../core/access/server-hosts.ts";
import type { Settings } from "../core/settings/settings.ts";

/** `file` is what the configuration says, `settings` what holds. */
export type Configured = Readonly<{
  file: Readonly<Record<string, unknown>>;
  settings: Pick<Settings, "trustLoopback" | "socket" | "host" | "sslCertfile" | "insecureHttp">;
}>;

const CALLED_NOBODY = `trust_loopback = false is called "nobody" now; it means the same`;
const FOR_OWNER = `Loopback made everybody on this machine an admin. Now only root and nexus are; trust_loopback = "anyone" is the earlier rule`;
const BY_NAME = `Each other user of the machine is known by name there, in the role of [users.NAME] role, else user; services and containers need a token`;
const SHUT_OUT = `Other users of the machine need a token: socket = "${LOCAL_SOCKET}" in the configuration lets each in by name`;
const OWN_TLS = `It has no certificate, so it makes one and speaks TLS: clients have to add it anew; insecure_http = true keeps plain HTTP`;

const tellTrust = ({ file, settings: { trustLoopback, socket } }: Configured): readonly string[] => {
  if (typeof file["trust_loopback"] === "string") return [];
  return trustLoopback === "nobody" ? [CALLED_NOBODY] : [FOR_OWNER, socket === null ? SHUT_OUT : BY_NAME];
};

/** What becomes another for somebody, of a configuration from before that does not speak of it. */
export const listUpgradeNews = (configured: Configured): readonly string[] => {
  const { host, sslCertfile, insecureHttp } = configured.settings;
  const isOpen = !isLocalHost(host) && sslCertfile === null && !insecureHttp;
  return [...tellTrust(configured), ...(isOpen ? [OWN_TLS] : [])];
};
