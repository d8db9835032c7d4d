import { type ChildProcess, spawn } from "node:child_process";
import { accessSync, closeSync, constants, mkdirSync, openSync, readFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { ok, type Result } from "../../base/result.ts";
import { IS_SINGLE_FILE } from "../../base/single-file.ts";
import type { Failure } from "../../command-line/command.ts";
import { fail } from "../../command-line/usage.ts";
import { locateHome } from "../settings/config-file.ts";
import { hint } from "../terminal/output.ts";

const MOCK_GPUS = "2";
const POLL_MS = 10;
const START_LIMIT_MS = 10_000;
const NOTHING_SAID = "it could write nothing; make room if the disk of HOME is full";

const locateServerDir = (): string =>
  process.env["NS_SERVER_DIR"] ||
  join(process.env["XDG_STATE_HOME"] || join(locateHome(), ".local", "state"), "nexus-server");

const isProgram = (path: string): boolean => {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
};

const hasNvidiaDriver = (): boolean =>
  (process.env["PATH"] ?? "").split(delimiter).some((folder) => isProgram(join(folder, "nvidia-smi")));

const locateServer = (): readonly [string, ...string[]] =>
  IS_SINGLE_FILE
    ? [join(dirname(process.execPath), "nexus-server")]
    : [process.execPath, join(import.meta.dirname, "..", "..", "server", "main.ts")];

const spawnServer = (logPath: string, isMock: boolean): ChildProcess => {
  const log = openSync(logPath, "a", 0o600);
  const mock = isMock && process.env["NS_MOCK_GPUS"] === undefined ? ["--mock-gpus", MOCK_GPUS] : [];
  const [program, ...args] = locateServer();
  const server = spawn(program, [...args, ...mock], {
    detached: true,
    cwd: "/",
    env: { ...process.env, NEXUS_JOB_ID: undefined, NEXUS_GIT_TAG: undefined },
    stdio: ["ignore", log, log],
  });
  closeSync(log);
  server.unref();
  return server;
};

const answers = async (baseUrl: string): Promise<boolean> => {
  try {
    return (await fetch(`${baseUrl}/v1/health`)).ok;
  } catch {
    return false;
  }
};

const readLastLine = (path: string): string => readFileSync(path, "utf8").trimEnd().split("\n").at(-1) ?? "";

const waitUntilUp = async (baseUrl: string, server: ChildProcess): Promise<boolean> => {
  const deadline = performance.now() + START_LIMIT_MS;
  while (performance.now() < deadline) {
    if (await answers(baseUrl)) return true;
    if (server.exitCode !== null && server.exitCode !== 0 && performance.now() > deadline - START_LIMIT_MS / 2)
      return false;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  return false;
};

export const startLocalServer = async (baseUrl: string): Promise<Result<void, Failure>> => {
  const serverDir = locateServerDir();
  const isMock = !hasNvidiaDriver();
  const [program] = locateServer();
  if (!isProgram(program)) return fail(`there is no server program at ${program}: install nexus-server beside nx`);
  mkdirSync(serverDir, { recursive: true, mode: 0o700 });
  const logPath = join(serverDir, "server.log");
  hint(`No server on this machine yet: starting one${isMock ? " with mock GPUs, as there is no NVIDIA driver" : ""}.`);
  const server = spawnServer(logPath, isMock);
  if (await waitUntilUp(baseUrl, server)) return ok(undefined);
  return fail(`the local server did not start: ${readLastLine(logPath) || NOTHING_SAID} (see ${logPath})`);
};
