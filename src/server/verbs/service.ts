import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { err, ok, type Result } from "../../base/result.ts";
import type { Settings } from "../core/settings/settings.ts";
import { readListening } from "../external/http/listening-file.ts";
import { type Flags, loadSettings } from "../external/settings/load-settings.ts";
import { PATHS, SERVICE } from "../installation/plan.ts";
import type { Mistake, ServerCall } from "../server-verb.ts";

type ExitCode = Result<number, Mistake>;

type ServiceVerb = "status" | "logs" | "start" | "stop" | "restart";
type ServiceRequest = Readonly<{ verb: ServiceVerb; lines: number; isFollowing: boolean }>;

const STOP_LIMIT_MS = 15_000;
const POLL_MS = 20;
const NOT_RUNNING = 3;
const DEFAULT_LINES = 100;

const runOnTerminal = (argv: readonly [string, ...string[]]): ExitCode => {
  const [program, ...args] = argv;
  const { status, error } = spawnSync(program, args, { stdio: "inherit" });
  return error === undefined ? ok(status ?? 1) : err({ message: `${program} could not be run: ${error.message}` });
};

const askSystemd = ({ verb, lines, isFollowing }: ServiceRequest): ExitCode =>
  verb === "logs"
    ? runOnTerminal(["journalctl", "--unit", SERVICE, "--lines", String(lines), ...(isFollowing ? ["--follow"] : [])])
    : runOnTerminal(["systemctl", verb, SERVICE]);

const isAlive = (pid: number): boolean => existsSync(`/proc/${pid}`);

const readPid = (serverDir: string): number | null => {
  const path = join(serverDir, "server.pid");
  const pid = existsSync(path) ? Number.parseInt(readFileSync(path, "utf8"), 10) : Number.NaN;
  return Number.isInteger(pid) && isAlive(pid) ? pid : null;
};

const stopProcess = async (serverDir: string, pid: number | null): Promise<ExitCode> => {
  if (pid === null) return err({ message: `no server runs on ${serverDir}` });
  process.kill(pid, "SIGTERM");
  const deadline = performance.now() + STOP_LIMIT_MS;
  while (isAlive(pid)) {
    if (performance.now() > deadline) return err({ message: `server ${pid} does not stop` });
    await pause(POLL_MS);
  }
  return ok(0);
};

const showProcess = (serverDir: string, pid: number | null): ExitCode => {
  process.stdout.write(pid === null ? `no server runs on ${serverDir}\n` : `server ${pid} runs on ${serverDir}\n`);
  if (pid !== null)
    process.stdout.write(
      readListening(serverDir)
        .map((place) => `it listens on ${place}\n`)
        .join(""),
    );
  return ok(pid === null ? NOT_RUNNING : 0);
};

const showLog = (serverDir: string, { lines, isFollowing }: ServiceRequest): ExitCode => {
  const path = join(serverDir, "server.log");
  if (!existsSync(path))
    return err({ message: `there is no ${path}: a server in the foreground logs to its terminal` });
  return runOnTerminal(["tail", "-n", String(lines), ...(isFollowing ? ["-f"] : []), path]);
};

const actOnProcess = async (request: ServiceRequest, { serverDir }: Settings): Promise<ExitCode> => {
  const pid = readPid(serverDir);
  switch (request.verb) {
    case "status":
      return showProcess(serverDir, pid);
    case "logs":
      return showLog(serverDir, request);
    case "stop":
      return stopProcess(serverDir, pid);
    case "start":
    case "restart":
      return err({ message: "it is not installed: run nexus-server without a verb, or nexus-server install" });
  }
};

const readLines = ({ lines }: Flags): number | null => {
  const count = lines === undefined ? DEFAULT_LINES : Number(lines);
  return Number.isInteger(count) && count >= 0 ? count : null;
};

/** By systemd where the server is installed, otherwise on the process that has the folder. */
export const runService = async (verb: ServiceVerb, { flags }: ServerCall): Promise<ExitCode> => {
  const lines = readLines(flags);
  if (lines === null) return err({ message: `-n takes a number of lines, not "${flags["lines"]}"`, isUsage: true });
  const request = { verb, lines, isFollowing: flags["follow"] === true };
  if (existsSync(PATHS.unit)) return askSystemd(request);
  const settings = loadSettings(flags);
  return settings.ok ? actOnProcess(request, settings.value) : settings;
};
