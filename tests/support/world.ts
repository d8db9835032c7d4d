import { type ChildProcess, spawn } from "node:child_process";
import { chownSync, existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { WireJob } from "../../src/wire/job.ts";
import { asUid } from "./as-user.ts";
import { pickPort } from "./pick-port.ts";
import { type Finished, killProcess, listProcessesWith, NX, runProgram, SERVER, stopChild } from "./programs.ts";
import { waitUntil } from "./wait.ts";

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
const ENDED = ["completed", "failed", "killed"];

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
  await waitUntil(async () => (await listRunning(url)).length === 0, "no job is left");
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
    await waitUntil(async () => statuses.includes((await job(id)).status), `job ${id} is ${statuses.join(" or ")}`);
    return job(id);
  };
  return { post, submit, job, waitFor };
};

/** A home, a server folder and a port of their own, all of them and the servers of `uid` where it is given; `enter` makes the command that starts a server run where it shall; `dispose` ends whatever was started in it. */
export const createWorld = async (
  uid: number | null = null,
  enter: (argv: readonly string[]) => readonly string[] = (argv) => argv,
): Promise<World> => {
  const folder = mkdtempSync(join(tmpdir(), "nexus-e2e-"));
  const home = join(folder, "home");
  mkdirSync(home);
  if (uid !== null) for (const path of [folder, home]) chownSync(path, uid, uid);
  const port = await pickPort();
  const url = `http://127.0.0.1:${port}`;
  const names = {
    NS_SERVER_DIR: join(folder, "server"),
    NS_PORT: String(port),
    NS_MOCK_GPUS: "2",
    NO_COLOR: "1",
    NS_MIN_FREE_GB: "0",
    NS_CPUS: "64",
  };
  const author = {
    GIT_AUTHOR_NAME: "t",
    GIT_AUTHOR_EMAIL: "t@example.org",
    GIT_COMMITTER_NAME: "t",
    GIT_COMMITTER_EMAIL: "t@example.org",
  };
  const env = { PATH: process.env["PATH"], HOME: home, USER: "tester", ...author, ...names };
  const servers: ChildProcess[] = [];

  const startServer: World["startServer"] = async (settings = {}) => {
    const argv = enter(uid === null ? SERVER : asUid(uid, SERVER));
    const server = spawn(argv[0] ?? "", argv.slice(1), { env: { ...env, ...settings }, stdio: "ignore" });
    servers.push(server);
    await waitUntil(() => isAnswering(url), "the server answers");
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
