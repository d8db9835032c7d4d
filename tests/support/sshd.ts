import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { pickPort } from "./pick-port.ts";
import { stopChild } from "./programs.ts";
import { makeKey, runSshd, USER, WITHOUT_STARTUP_FILE } from "./ssh-server.ts";

/** `words` begins an `ssh` command line that logs in with the key of this name. */
export type Sshd = Readonly<{
  port: number;
  words: (key: string, ...options: readonly string[]) => readonly string[];
  stop: () => Promise<void>;
}>;

const SSH_KEYGEN = "ssh-keygen";

/** As in `SHA256:…`. */
export const readSshFingerprint = (key: string): string =>
  execFileSync(SSH_KEYGEN, ["-l", "-f", `${key}.pub`], { encoding: "utf8" }).split(" ")[1] ?? "";

const renderConfiguration = (port: number, hostKey: string, authorizedKeys: string): string =>
  [
    `Port ${port}`,
    "ListenAddress 127.0.0.1",
    `HostKey ${hostKey}`,
    "PidFile none",
    `AuthorizedKeysFile ${authorizedKeys}`,
    ...["StrictModes no", "UsePAM no", "PasswordAuthentication no", "KbdInteractiveAuthentication no"],
    ...["AllowTcpForwarding yes", "AllowAgentForwarding yes", "AllowStreamLocalForwarding yes", "GatewayPorts yes"],
    ...["X11Forwarding yes", "PermitTunnel yes", "PermitUserRC yes", "PermitRootLogin yes"],
    ...["Subsystem sftp internal-sftp", "AcceptEnv LANG LC_*", WITHOUT_STARTUP_FILE, ""],
  ].join("\n");

/** A real one on loopback, which allows all that a key does not forbid. Only `StrictModes` is off: temporary folders lie where all may write. */
export const startSshd = async (folder: string, authorizedKeys: string): Promise<Sshd> => {
  const port = await pickPort();
  const path = join(folder, "sshd_config");
  writeFileSync(path, renderConfiguration(port, makeKey(join(folder, "host_key")), authorizedKeys));
  const server = await runSshd(folder, path);
  const known = ["-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR"];
  const quiet = ["-F", "none", "-o", "BatchMode=yes", "-o", "IdentitiesOnly=yes", ...known];
  return {
    port,
    words: (key, ...options) => ["ssh", ...options, ...quiet, "-i", key, "-p", String(port), `${USER}@127.0.0.1`],
    stop: () => stopChild(server, "SIGTERM"),
  };
};
