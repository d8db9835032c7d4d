import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { WireJob } from "../../src/shared/job.ts";
import { pickPort } from "../pick-port.ts";

export type Finished = Readonly<{
  exitCode: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}>;

export type World = Readonly<{
  home: string;
  folder: string;
  url: string;
  env: NodeJS.ProcessEnv;
  startServer: (settings?: Readonly<Record<string, string>>) => Promise<ChildProcess>;
  nx: (words: readonly string[], cwd?: string) => Promise<Finished>;
  git: (words: readonly string[], cwd: string) => Promise<Finished>;
  post: (path: string, body: unknown) => Promise<Response>;
  submit: (fields: Readonly<Record<string, unknown>>) => Promise<WireJob>;
  job: (id: string) => Promise<WireJob>;
  waitFor: (id: string, statuses?: readonly string[]) => Promise<WireJob>;
  dispose: () => Promise<void>;
}>;

const ROOT = join(import.meta.dirname, "..", "..");
const NX = join(ROOT, "nx");
export const FIXTURES: string = join(ROOT, "tests", "fixtures");
export const NEXUS_SERVER: string = join(ROOT, "nexus-server");
export const SERVER: readonly string[] = [process.execPath, join(ROOT, "src", "server", "main.ts")];
const ENDED = ["completed", "failed", "killed"];
const PATIENCE_MS = 25_000;
const POLL_MS = 10;

export const waitUntil = async (what: string, isSo: () => Promise<boolean> | boolean): Promise<void> => {
  const deadline = performance.now() + PATIENCE_MS;
  while (!(await isSo())) {
    if (performance.now() > deadline) throw new Error(`never came: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
};

export const runProgram = (
  argv: readonly string[],
  options: Readonly<{ env: NodeJS.ProcessEnv; cwd: string }>,
): Promise<Finished> => {
  const { promise, resolve } = Promise.withResolvers<Finished>();
  const child = spawn(argv[0] ?? "", argv.slice(1), { ...options, stdio: ["ignore", "pipe", "pipe"] });
  const output = { stdout: "", stderr: "" };
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    output.stdout += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    output.stderr += text;
  });
  child.on("close", (exitCode, signal) => resolve({ exitCode, signal, ...output }));
  return promise;
};

export const stopChild = async (child: ChildProcess, signal: NodeJS.Signals): Promise<void> => {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  child.once("exit", () => resolve());
  child.kill(signal);
  await promise;
};

const readEnvironmentOf = (pid: number): readonly string[] => {
  try {
    return readFileSync(`/proc/${pid}/environ`, "utf8").split("\0");
  } catch {
    return [];
  }
};

/** The pids of all live processes that have this `NAME=VALUE` in their environment. */
export const listProcessesWith = (setting: string): readonly number[] =>
  readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => readEnvironmentOf(pid).includes(setting));

const killProcess = (pid: number): void => {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    return;
  }
};

const isAnswering = async (url: string): Promise<boolean> => {
  try {
    return (await fetch(`${url}/v1/health`)).ok;
  } catch {
    return false;
  }
};

const listRunning = async (url: string): Promise<readonly WireJob[]> => {
  const response = await fetch(`${url}/v1/jobs?status=running&status=queued&limit=10000`);
  return (await response.json()) as readonly WireJob[];
};

export const endJobs = async (url: string): Promise<void> => {
  for (const job of await listRunning(url)) {
    const path = `${url}/v1/jobs/${job.id}`;
    await (job.status === "queued" ? fetch(path, { method: "DELETE" }) : fetch(`${path}/kill`, { method: "POST" }));
  }
  await waitUntil("no job is left", async () => (await listRunning(url)).length === 0);
};

const createRequests = (url: string): Pick<World, "post" | "submit" | "job" | "waitFor"> => {
  const post: World["post"] = (path, body) =>
    fetch(`${url}${path}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
  const job: World["job"] = async (id) => (await (await fetch(`${url}/v1/jobs/${id}`)).json()) as WireJob;
  const submit: World["submit"] = async (fields) => {
    const response = await post("/v1/jobs", { user: "tester", ...fields });
    if (response.status !== 201) throw new Error(await response.text());
    return (await response.json()) as WireJob;
  };
  const waitFor: World["waitFor"] = async (id, statuses = ENDED) => {
    await waitUntil(`job ${id} is ${statuses.join(" or ")}`, async () => statuses.includes((await job(id)).status));
    return job(id);
  };
  return { post, submit, job, waitFor };
};

/** A home, a server folder and a port of their own; `dispose` ends whatever was started in it. */
export const createWorld = async (): Promise<World> => {
  const folder = mkdtempSync(join(tmpdir(), "nexus-e2e-"));
  const home = join(folder, "home");
  mkdirSync(home);
  const port = await pickPort();
  const url = `http://127.0.0.1:${port}`;
  const names = { NS_SERVER_DIR: join(folder, "server"), NS_PORT: String(port), NS_MOCK_GPUS: "2", NO_COLOR: "1" };
  const author = {
    GIT_AUTHOR_NAME: "t",
    GIT_AUTHOR_EMAIL: "t@example.org",
    GIT_COMMITTER_NAME: "t",
    GIT_COMMITTER_EMAIL: "t@example.org",
  };
  const env = { PATH: process.env["PATH"], HOME: home, USER: "tester", ...author, ...names };
  const servers: ChildProcess[] = [];

  const startServer: World["startServer"] = async (settings = {}) => {
    const server = spawn(SERVER[0] ?? "", SERVER.slice(1), { env: { ...env, ...settings }, stdio: "ignore" });
    servers.push(server);
    await waitUntil("the server answers", () => isAnswering(url));
    return server;
  };

  const endGently = async (): Promise<void> => {
    for (const server of servers) await stopChild(server, "SIGTERM");
    const last = await startServer();
    await endJobs(url);
    await stopChild(last, "SIGTERM");
  };

  const dispose = async (): Promise<void> => {
    try {
      if (existsSync(join(folder, "server"))) await endGently();
    } finally {
      for (const pid of listProcessesWith(`HOME=${home}`)) killProcess(pid);
      rmSync(folder, { recursive: true, force: true });
    }
  };

  return {
    home,
    folder,
    url,
    env,
    startServer,
    nx: (words, cwd = home) => runProgram([NX, ...words], { env, cwd }),
    git: (words, cwd) => runProgram(["git", ...words], { env, cwd }),
    ...createRequests(url),
    dispose,
  };
};
