import { setTimeout as pause } from "node:timers/promises";
import { err, ok, type Problem, type Result } from "../../base/result.ts";
import { runCommand } from "../../tools/run-command.ts";
import type { WireDrain } from "../../wire/drain/drain.ts";
import type { WireJob } from "../../wire/job.ts";
import type { ServerStatus } from "../../wire/node.ts";
import { SERVER_PORT } from "../../wire/server-port.ts";
import { type Drains, endDrain } from "../core/queue/drain.ts";
import type { Settings } from "../core/settings/settings.ts";
import { locateTls } from "../external/certificate/open-tls.ts";
import { createCertificate } from "../external/certificate/tls-certificate.ts";
import { readPair } from "../external/certificate/tls-pair.ts";
import { locateOwnSocket } from "../external/local-users/personal-socket.ts";
import { changeDrains } from "../external/sqlite/beside-server/drains.ts";
import type { Tools } from "../installation/apply.ts";
import { becomeOwner } from "./become-owner.ts";
import { createUpgradeDrain } from "./drain-for-upgrade.ts";
import { rotateToken } from "./rotate-token.ts";
import { stopProcess } from "./stop-process.ts";

type Ask = (path: string, init?: RequestInit) => Promise<Response>;

const COMMAND_LIMITS = { timeoutMs: 60_000, maxOutputBytes: 1024 * 1024 };
const START_LIMIT_MS = 20_000;
const JOB_LIMIT_MS = 30_000;
const POLL_MS = 50;

const run: Tools["run"] = async (argv) => {
  const ran = await runCommand(argv, COMMAND_LIMITS);
  if (!ran.ok) return ran;
  const { exitCode, stderr, stdout } = ran.value;
  const reason = (stderr.trim() || stdout.trim()).split("\n").at(-1);
  return exitCode === 0 ? ok(undefined) : err({ message: `exit code ${exitCode}: ${reason}` });
};

const askServer = ({ socket, serverDir }: Settings): Ask => {
  const unix = socket ?? locateOwnSocket(serverDir);
  return (path, init) => fetch(`http://localhost${path}`, { ...init, unix });
};

const isHealthy = async (ask: Ask): Promise<boolean> => {
  try {
    return (await ask("/v1/health")).ok;
  } catch {
    return false;
  }
};

const pollUntil = async (limitMs: number, isDone: () => Promise<boolean>): Promise<boolean> => {
  const deadline = performance.now() + limitMs;
  while (performance.now() < deadline) {
    if (await isDone()) return true;
    await pause(POLL_MS);
  }
  return false;
};

const waitHealthy = async (settings: Settings): Promise<Result<void, Problem>> => {
  const isUp = await pollUntil(START_LIMIT_MS, () => isHealthy(askServer(settings)));
  return isUp ? ok(undefined) : err({ message: "it does not answer; see journalctl -u nexus-server" });
};

const submitCheck = async (ask: Ask): Promise<Result<WireJob, Problem>> => {
  const body = JSON.stringify({ user: "nexus-install", command: "true", num_gpus: 0 });
  const response = await ask("/v1/jobs", { method: "POST", headers: { "content-type": "application/json" }, body });
  return response.ok
    ? ok((await response.json()) as WireJob)
    : err({ message: `the server refused it: ${await response.text()}` });
};

const isDrained = async (ask: Ask): Promise<boolean> => {
  const response = await ask("/v1/server/status");
  return response.ok && ((await response.json()) as ServerStatus).drain !== null;
};

const checkJob = async (settings: Settings, say: (line: string) => void): Promise<Result<void, Problem>> => {
  const ask = askServer(settings);
  if (await isDrained(ask)) {
    say("The server is drained, so no job can be run: nexus-server resume lets jobs start again");
    return ok(undefined);
  }
  const submitted = await submitCheck(ask);
  if (!submitted.ok) return submitted;
  let job = submitted.value;
  const hasEnded = await pollUntil(JOB_LIMIT_MS, async () => {
    job = (await (await ask(`/v1/jobs/${job.id}`)).json()) as WireJob;
    return job.completed_at !== null;
  });
  if (job.status === "completed") return ok(undefined);
  return err({ message: hasEnded ? `job ${job.id} ${job.status}: ${job.error_message}` : `job ${job.id} did not end` });
};

const showResult = (settings: Settings, say: (line: string) => void): Result<void, Problem> => {
  const { nodeName, externalIp, port } = settings;
  const files = locateTls(settings);
  const pair = files.ok && files.value !== null ? readPair(files.value) : null;
  if (pair !== null && !pair.ok) return pair;
  const url = `${pair === null ? "http" : "https"}://${externalIp ?? nodeName}:${port ?? SERVER_PORT}`;
  say(`nexus-server is installed and runs jobs. It is reached at ${url}`);
  if (pair === null) return ok(undefined);
  const { fingerprint } = pair.value.facts;
  say(`Add it where you work, with the token: nx target add ${nodeName} ${url} --fingerprint ${fingerprint}`);
  return ok(undefined);
};

const endOnDisk = (settings: Settings, drain: WireDrain): Result<void, Problem> => {
  becomeOwner(settings.serverDir);
  const isOwn = ({ last }: Drains): boolean => last?.since === drain.since && last.why === drain.why;
  const end = (drains: Drains): Drains => (isOwn(drains) ? endDrain(drains, Date.now() / 1000) : drains);
  const ended = changeDrains(settings.serverDir, end);
  return ended.ok ? ok(undefined) : ended;
};

const reachServer = (loadSettings: () => Result<Settings, Problem>) => ({
  ask: async (path: string, init?: RequestInit): Promise<Response> => {
    const settings = loadSettings();
    if (!settings.ok) throw new Error(settings.error.message);
    return askServer(settings.value)(path, init);
  },
  endOnDisk: (drain: WireDrain): Result<void, Problem> => {
    const settings = loadSettings();
    return settings.ok ? endOnDisk(settings.value, drain) : settings;
  },
});

/** `loadSettings` is asked after the configuration has been written. */
export const createTools = (
  loadSettings: () => Result<Settings, Problem>,
  say: (line: string) => void,
  signal: AbortSignal = new AbortController().signal,
): Tools => {
  const withSettings = async <Value>(use: (settings: Settings) => Promise<Result<Value, Problem>>) => {
    const settings = loadSettings();
    return settings.ok ? use(settings.value) : settings;
  };
  return {
    run,
    say,
    drain: createUpgradeDrain({ say, signal, ...reachServer(loadSettings) }),
    stop: stopProcess,
    chown: (path, owner) => run(["chown", `${owner}:${owner}`, path]),
    makeCertificate: (names) => createCertificate(names, new Date()),
    waitHealthy: () => withSettings(waitHealthy),
    newToken: () => withSettings(async ({ serverDir }) => rotateToken(serverDir)),
    checkJob: () => withSettings((settings) => checkJob(settings, say)),
    showResult: () => withSettings(async (settings) => showResult(settings, say)),
  };
};
