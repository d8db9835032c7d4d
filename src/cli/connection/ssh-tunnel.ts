import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { rmSync } from "node:fs";
import { err, ok, type Result } from "../../base/result.ts";
import type { Failure } from "../../command-line/command.ts";
import { UNREACHABLE } from "../../command-line/usage.ts";
import { acceptsConnections } from "../../tools/sockets/accepts-connections.ts";
import { listControls, locateLog, locateTunnel, makeTunnelFolder, type SshAddress } from "../targets/ssh-place.ts";
import type { Target } from "../targets/target.ts";
import { hint } from "../terminal/output.ts";
import { canPrompt } from "../terminal/prompt.ts";
import { holdLock } from "./hold-lock.ts";
import { explainSsh } from "./ssh-trouble.ts";

type Done = Promise<Result<void, Failure>>;

const KEPT_IDLE_S = 600;
const SILENT_LIMIT_MS = 60_000;
const UNIQUE_BYTES = 4;
const SETTINGS = [
  `ControlPersist=${KEPT_IDLE_S}`,
  "ClearAllForwardings=yes",
  "ForwardAgent=no",
  "ForwardX11=no",
  "ConnectTimeout=10",
  "ServerAliveInterval=5",
  "ServerAliveCountMax=3",
  "LogLevel=INFO",
];

const mayAsk = (): boolean => canPrompt() && process.stdin.isRaw !== true;

const MISSING = "ssh is not installed here";

const runSsh = (args: readonly string[]): Promise<string | null> => {
  const { promise, resolve } = Promise.withResolvers<string | null>();
  const isAsking = mayAsk();
  const child = spawn("ssh", args, { cwd: "/", stdio: ["ignore", "ignore", isAsking ? "inherit" : "ignore"] });
  const timer = isAsking ? undefined : setTimeout(() => child.kill(), SILENT_LIMIT_MS);
  child.once("error", (error: NodeJS.ErrnoException) => resolve(error.code === "ENOENT" ? MISSING : error.message));
  child.once("exit", (code) => resolve(code === 0 ? null : ""));
  return promise.finally(() => clearTimeout(timer));
};

const describeMaster = (address: SshAddress, control: string): readonly string[] => [
  ...["-M", "-N", "-f", "-S", control, "-E", locateLog(address)],
  ...[...SETTINGS, `BatchMode=${mayAsk() ? "no" : "yes"}`].flatMap((setting) => ["-o", setting]),
  ...(address.port === null ? [] : ["-p", String(address.port)]),
  ...(address.user === null ? [] : ["-l", address.user]),
  "--",
  address.host,
];

const order = (control: string, address: SshAddress, words: readonly string[]): Promise<string | null> =>
  runSsh(["-F", "/dev/null", "-S", control, "-E", locateLog(address), ...words, "--", address.host]);

const endAll = async (address: SshAddress): Promise<void> => {
  for (const control of listControls(address)) {
    await order(control, address, ["-O", "exit"]);
    rmSync(control, { force: true });
  }
  for (const file of [locateTunnel(address), locateLog(address)]) rmSync(file, { force: true });
};

const connectAnew = async (address: SshAddress): Promise<string | null> => {
  const socket = locateTunnel(address);
  const control = `${socket}.${randomBytes(UNIQUE_BYTES).toString("hex")}`;
  const said = await runSsh(describeMaster(address, control));
  if (said !== null) return said;
  const there = address.serverAt.startsWith("/") ? address.serverAt : `127.0.0.1:${address.serverAt}`;
  return order(control, address, ["-O", "forward", "-L", `${socket}:${there}`]);
};

const replace = async (address: SshAddress): Done => {
  await endAll(address);
  const said = await connectAnew(address);
  if (said === null) return ok(undefined);
  const failure = said === "" ? explainSsh(address) : { exitCode: UNREACHABLE, message: said };
  await endAll(address);
  return err(failure);
};

const sayWaiting = (pid: string): void => hint(`Process ${pid} is connecting already; waiting for it …`);

const connectOnce = async (address: SshAddress): Done => {
  const folder = makeTunnelFolder();
  if (!folder.ok) return folder;
  const socket = locateTunnel(address);
  if (await acceptsConnections(socket)) return ok(undefined);
  return holdLock(`${socket}.lock`, sayWaiting, async () =>
    (await acceptsConnections(socket)) ? ok(undefined) : replace(address),
  );
};

/** One connection for all commands, kept by `ssh` itself until it has been idle. One that lives is left as it is. */
export const openTunnel = async (ssh: SshAddress, { name, address }: Pick<Target, "name" | "address">): Done => {
  const opened = await connectOnce(ssh);
  if (opened.ok) return opened;
  const { exitCode, message } = opened.error;
  return err({ exitCode, message: `the server "${name}" at ${address} can't be reached: ${message}` });
};

/** Ends the connection at once, for whoever uses it. */
export const closeTunnel = (address: SshAddress): Promise<void> => endAll(address);
