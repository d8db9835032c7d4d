import { type ChildProcess, spawn } from "node:child_process";
import {
  accessSync,
  closeSync,
  constants,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { describeDiskTrouble } from "../../base/describe-disk-trouble.ts";
import { describeError } from "../../base/describe-error.ts";
import { ok, type Result } from "../../base/result.ts";
import { IS_SINGLE_FILE } from "../../base/single-file.ts";
import type { Failure } from "../../command-line/command.ts";
import { fail } from "../../command-line/usage.ts";
import { acceptsConnections, type ListeningPlace } from "../../tools/sockets/accepts-connections.ts";
import { locateServerDir, readLocalPort } from "../targets/local-socket.ts";
import { hint } from "../terminal/output.ts";
import { createServerEnvironment } from "./server-environment.ts";

const MOCK_GPUS = ["--mock-gpus", "auto"];
const POLL_MS = 10;
const START_LIMIT_MS = 10_000;
const NEEDED_BYTES = 262_144;
const NOTHING_SAID = "it could write nothing; make room if the disk of HOME is full";

const isProgram = (path: string): boolean => {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
};

const locateServer = (): readonly [string, ...string[]] =>
  IS_SINGLE_FILE
    ? [join(dirname(process.execPath), "nexus-server")]
    : [process.execPath, join(import.meta.dirname, "..", "..", "server", "main.ts")];

const describePlace = (): NodeJS.ProcessEnv => ({
  NS_PORT: readLocalPort() ?? undefined,
  NS_SERVER_DIR: process.env["NS_SERVER_DIR"] ? locateServerDir() : undefined,
});

const spawnServer = (logPath: string, env: NodeJS.ProcessEnv): ChildProcess => {
  const log = openSync(logPath, "a", 0o600);
  const mock = process.env["NS_MOCK_GPUS"] === undefined ? MOCK_GPUS : [];
  const [program, ...args] = locateServer();
  const server = spawn(program, [...args, ...mock], {
    detached: true,
    cwd: "/",
    env,
    stdio: ["ignore", log, log],
  });
  closeSync(log);
  server.unref();
  return server;
};

const readLastLine = (path: string): string => readFileSync(path, "utf8").trimEnd().split("\n").at(-1) ?? "";

const waitUntilUp = async (place: ListeningPlace, server: ChildProcess): Promise<boolean> => {
  const deadline = performance.now() + START_LIMIT_MS;
  while (performance.now() < deadline) {
    if (await acceptsConnections(place)) return true;
    if (server.exitCode !== null && server.exitCode !== 0 && performance.now() > deadline - START_LIMIT_MS / 2)
      return false;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  return false;
};

const prepareFolder = (serverDir: string): Result<void, Failure> => {
  const probe = join(serverDir, `.room-${process.pid}`);
  try {
    mkdirSync(serverDir, { recursive: true, mode: 0o700 });
    writeFileSync(probe, new Uint8Array(NEEDED_BYTES));
    return ok(undefined);
  } catch (error) {
    const trouble = describeDiskTrouble(error, serverDir) ?? `${serverDir} can't be written: ${describeError(error)}`;
    return fail(`${trouble} (or NS_SERVER_DIR for the server alone)`);
  } finally {
    if (existsSync(probe)) rmSync(probe);
  }
};

/** Starts the user's own server and waits until it listens where it will be asked. `hasMockGpus` asks it. */
export const startLocalServer = async (
  place: ListeningPlace,
  hasMockGpus: () => Promise<boolean>,
): Promise<Result<void, Failure>> => {
  const serverDir = locateServerDir();
  const [program] = locateServer();
  if (!isProgram(program)) return fail(`there is no server program at ${program}`, "install nexus-server beside nx");
  const prepared = prepareFolder(serverDir);
  if (!prepared.ok) return prepared;
  const logPath = join(serverDir, "server.log");
  const env = await createServerEnvironment(process.env, serverDir);
  const server = spawnServer(logPath, { ...env, ...describePlace() });
  if (!(await waitUntilUp(place, server)))
    return fail(`the local server did not start: ${readLastLine(logPath) || NOTHING_SAID}`, `see ${logPath}`);
  const gpus = (await hasMockGpus()) ? " with mock GPUs" : "";
  hint(`No server on this machine yet: starting one${gpus}.`);
  return ok(undefined);
};
