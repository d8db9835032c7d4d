import { execFileSync, spawn } from "node:child_process";
import { accessSync, constants, mkdirSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { pickPort } from "../pick-port.ts";
import { stopChild, waitUntil } from "./programs.ts";

/** `words` begins an `ssh` command line that logs in with the key of this name. */
export type Sshd = Readonly<{
  port: number;
  words: (key: string, ...options: readonly string[]) => readonly string[];
  stop: () => Promise<void>;
}>;

const SSHD = "/usr/sbin/sshd";
const SSH_KEYGEN = "ssh-keygen";

const canRun = (path: string): boolean => {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
};

export const canRunSshd: boolean = canRun(SSHD) && canRun("/usr/bin/ssh");

/** The path of a new private key, beside which the public one lies. */
export const makeSshKey = (folder: string, name: string, type = "ed25519"): string => {
  const path = join(folder, name);
  execFileSync(SSH_KEYGEN, ["-q", "-t", type, "-N", "", "-C", `${name}@laptop`, "-f", path]);
  return path;
};

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
    ...["Subsystem sftp internal-sftp", "AcceptEnv LANG LC_*", ""],
  ].join("\n");

const isListening = (port: number): Promise<boolean> => {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = connect(port, "127.0.0.1", () => {
    resolve(true);
    socket.destroy();
  }).once("error", () => resolve(false));
  return promise;
};

/** A real one on loopback, which allows all that a key does not forbid. Only `StrictModes` is off: temporary folders lie where all may write. */
export const startSshd = async (folder: string, authorizedKeys: string): Promise<Sshd> => {
  const port = await pickPort();
  const path = join(folder, "sshd_config");
  writeFileSync(path, renderConfiguration(port, makeSshKey(folder, "host_key"), authorizedKeys));
  if (process.getuid?.() === 0) mkdirSync("/run/sshd", { recursive: true });
  const server = spawn(SSHD, ["-D", "-e", "-f", path], { stdio: "ignore" });
  await waitUntil("sshd listens", () => isListening(port));
  const user = execFileSync("id", ["-un"], { encoding: "utf8" }).trim();
  const known = ["-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR"];
  const quiet = ["-F", "none", "-o", "BatchMode=yes", "-o", "IdentitiesOnly=yes", ...known];
  return {
    port,
    words: (key, ...options) => ["ssh", ...options, ...quiet, "-i", key, "-p", String(port), `${user}@127.0.0.1`],
    stop: () => stopChild(server, "SIGTERM"),
  };
};
