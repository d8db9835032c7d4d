import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { ok } from "../../base/result.ts";
import { DONE, type FlagValues, type Outcome } from "../../command-line/command.ts";
import { convertProblem, fail } from "../../command-line/usage.ts";
import type { Settings } from "../core/settings/settings.ts";
import { readListening } from "../external/http/listening-file.ts";
import { loadSettings } from "../external/settings/load-settings.ts";
import { findHolder } from "../external/sqlite/lock-folder.ts";
import { PATHS, SERVICE } from "../installation/plan.ts";
import { stopProcess } from "./stop-process.ts";

type LogRequest = Readonly<{ verb: "logs"; lines: number; isFollowing: boolean }>;
type ServiceRequest = LogRequest | Readonly<{ verb: "status" | "start" | "stop" | "restart" }>;

const NOT_RUNNING = 3;

const runOnTerminal = (argv: readonly [string, ...string[]]): Outcome => {
  const [program, ...args] = argv;
  const { status, error } = spawnSync(program, args, { stdio: "inherit" });
  return error === undefined ? ok(status ?? 1) : fail(`${program} could not be run: ${error.message}`);
};

const askSystemd = (request: ServiceRequest): Outcome => {
  if (request.verb !== "logs") return runOnTerminal(["systemctl", request.verb, SERVICE]);
  const following = request.isFollowing ? ["--follow"] : [];
  return runOnTerminal(["journalctl", "--unit", SERVICE, "--lines", String(request.lines), ...following]);
};

const stopServer = async (serverDir: string, pid: number | null): Promise<Outcome> => {
  if (pid === null) return fail(`no server runs on ${serverDir}`);
  const stopped = await stopProcess(pid);
  return stopped.ok ? DONE : stopped;
};

const showProcess = (serverDir: string, pid: number | null): Outcome => {
  if (pid === null) {
    process.stdout.write(`no server runs on ${serverDir}\n`);
    return ok(NOT_RUNNING);
  }
  const places = readListening(serverDir).map((place) => `it listens on ${place}\n`);
  process.stdout.write([`server ${pid} runs on ${serverDir}\n`, ...places].join(""));
  return DONE;
};

const showLog = (serverDir: string, { lines, isFollowing }: LogRequest): Outcome => {
  const path = join(serverDir, "server.log");
  if (!existsSync(path)) return fail(`there is no ${path}: a server in the foreground logs to its terminal`);
  return runOnTerminal(["tail", "-n", String(lines), ...(isFollowing ? ["-f"] : []), path]);
};

const actOnProcess = async (request: ServiceRequest, { serverDir }: Settings): Promise<Outcome> => {
  const pid = findHolder(serverDir);
  switch (request.verb) {
    case "status":
      return showProcess(serverDir, pid);
    case "logs":
      return showLog(serverDir, request);
    case "stop":
      return stopServer(serverDir, pid);
    case "start":
    case "restart":
      return fail("it is not installed: run nexus-server without a verb, or nexus-server install");
  }
};

/** Whether the installed server is meant, `named` being the folder that was named, if one was. */
export const isOfService = (named: unknown): boolean => {
  if (!existsSync(PATHS.unit)) return false;
  if (typeof named !== "string" || named === "") return true;
  return readFileSync(PATHS.unit, "utf8").includes(`\nEnvironment=NS_SERVER_DIR=${resolve(named)}\n`);
};

/** By systemd where the server is installed, otherwise, or where another folder is named, on the process that has the folder. */
export const runService = async (request: ServiceRequest, flags: FlagValues): Promise<Outcome> => {
  if (isOfService(flags["server-dir"] ?? process.env["NS_SERVER_DIR"])) return askSystemd(request);
  const settings = convertProblem(loadSettings(flags));
  return settings.ok ? actOnProcess(request, settings.value) : settings;
};
