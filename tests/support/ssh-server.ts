import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from "node:fs";
import { basename, delimiter, join } from "node:path";
import { checkAbility } from "./ability.ts";
import { pickPort } from "./pick-port.ts";
import { stopChild } from "./programs.ts";
import { waitUntil } from "./wait.ts";

/** A real SSH server on loopback for the user of the test. `path` begins with an `ssh` that knows it by the name `box` and
 * puts `words` before all others; `configure` adds to its settings, `countLogins` says how often somebody came in. */
export type SshServer = Readonly<{
  folder: string;
  port: number;
  path: string;
  configure: (settings: string) => void;
  countLogins: () => number;
  stop: () => Promise<void>;
}>;

const SSHD = "/usr/sbin/sshd";
export const canRunSshd: boolean = checkAbility(existsSync(SSHD), "sshd");
export const USER: string = execFileSync("id", ["-un"], { encoding: "utf8" }).trim();
/** Bash reads `~/.bashrc` for a command of `ssh` only where it is the first shell; what is in that of whoever runs the tests is none of theirs. */
export const WITHOUT_STARTUP_FILE = "SetEnv SHLVL=1";
const PRIVILEGE_FOLDER = "/run/sshd";

/** The private key lies at the path, the public one beside it. */
export const makeKey = (path: string, passphrase = "", type = "ed25519"): string => {
  const comment = `${basename(path)}@laptop`;
  execFileSync("ssh-keygen", ["-q", "-t", type, "-N", passphrase, "-C", comment, "-f", path], { stdio: "pipe" });
  return path;
};

const writeServerSettings = (folder: string, port: number, more: string): string => {
  const path = join(folder, "sshd_config");
  const lines = [
    `Port ${port}`,
    "ListenAddress 127.0.0.1",
    `HostKey ${join(folder, "host_key")}`,
    `AuthorizedKeysFile ${join(folder, "authorized_keys")}`,
    "PidFile none",
    "StrictModes no",
    "UsePAM no",
    "PasswordAuthentication no",
    "KbdInteractiveAuthentication no",
    WITHOUT_STARTUP_FILE,
    more,
  ];
  writeFileSync(path, `${lines.join("\n")}\n`);
  return path;
};

const writeClientSettings = (folder: string, port: number, more: string): void => {
  const files = [`IdentityFile ${join(folder, "user_key")}`, `UserKnownHostsFile ${join(folder, "known_hosts")}`];
  const box = ["Host box", "HostName 127.0.0.1", `Port ${port}`, `User ${USER}`];
  const common = ["Host *", ...files, "GlobalKnownHostsFile none", "IdentityAgent none", "IdentitiesOnly yes"];
  writeFileSync(join(folder, "ssh_config"), `${more}\n${[...box, ...common].join("\n")}\n`);
};

const makeProgram = (folder: string, words: string): string => {
  const bin = join(folder, "bin");
  mkdirSync(bin);
  const real = execFileSync("sh", ["-c", "command -v ssh"], { encoding: "utf8" }).trim();
  writeFileSync(join(bin, "ssh"), `#!/bin/sh\nexec ${real} -F ${join(folder, "ssh_config")} ${words} "$@"\n`);
  chmodSync(join(bin, "ssh"), 0o755);
  return [bin, process.env["PATH"] ?? ""].join(delimiter);
};

const makeKeys = (folder: string, passphrase: string): void => {
  makeKey(join(folder, "host_key"));
  makeKey(join(folder, "user_key"), passphrase);
  copyFileSync(join(folder, "user_key.pub"), join(folder, "authorized_keys"));
};

const readLog = (folder: string): string => readFileSync(join(folder, "sshd.log"), "utf8");

/** With a log beside its settings, `sshd.log`. */
export const runSshd = async (folder: string, settings: string): Promise<ChildProcess> => {
  if (process.getuid?.() === 0) mkdirSync(PRIVILEGE_FOLDER, { recursive: true, mode: 0o755 });
  const log = openSync(join(folder, "sshd.log"), "a");
  const server = spawn(SSHD, ["-D", "-e", "-f", settings], { stdio: ["ignore", log, log] });
  await waitUntil(() => readLog(folder).includes("Server listening"), "the SSH server listens");
  return server;
};

export const startSshServer = async (
  parent: string,
  options: Readonly<{ server?: string; passphrase?: string; words?: string }> = {},
): Promise<SshServer> => {
  const folder = join(parent, "ssh");
  mkdirSync(folder);
  const port = await pickPort();
  makeKeys(folder, options.passphrase ?? "");
  const server = await runSshd(folder, writeServerSettings(folder, port, options.server ?? ""));
  const configure = (settings: string): void => writeClientSettings(folder, port, settings);
  configure("StrictHostKeyChecking accept-new");
  return {
    folder,
    port,
    path: makeProgram(folder, options.words ?? ""),
    configure,
    countLogins: () => readLog(folder).split("Accepted publickey").length - 1,
    stop: () => stopChild(server, "SIGTERM"),
  };
};

const readWords = (pid: string): string => {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
  } catch {
    return "";
  }
};

/** The pids of the `ssh` processes whose command line holds a text. */
export const listSshProcesses = (text: string): readonly number[] =>
  readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && /^(\S*\/)?ssh\b/.test(readWords(name)) && readWords(name).includes(text))
    .map(Number);
