import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { spawn } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { VERSION } from "../../../src/base/version.ts";
import { pickPort } from "../../support/pick-port.ts";
import { createPipedNx, createUserEnvironment } from "../../support/piped-nx.ts";
import { type Finished, NEXUS_SERVER, stopChild } from "../../support/programs.ts";
import { waitUntil } from "../../support/wait.ts";

const MAJOR = Number(VERSION.split(".")[0]);
const ROOT = join(NEXUS_SERVER, "..");

let folder: string;
let home: string;
let port: number;
let cleanUps: (() => Promise<unknown> | unknown)[];

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "nexus-version-"));
  home = join(folder, "home");
  mkdirSync(home);
  port = await pickPort();
  cleanUps = [];
});

afterEach(async () => {
  for (const cleanUp of cleanUps.toReversed()) await cleanUp();
  rmSync(folder, { recursive: true, force: true });
});

const piped = createPipedNx(() => home);

const nx = (...words: readonly string[]): Promise<Finished> => piped(words, "", { NS_PORT: String(port) });

const makeProgram = (version: string): string => {
  const root = join(folder, "other");
  cpSync(join(ROOT, "src"), join(root, "src"), { recursive: true });
  symlinkSync(join(ROOT, "node_modules"), join(root, "node_modules"));
  const manifest = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
  writeFileSync(join(root, "package.json"), JSON.stringify({ ...manifest, version }));
  return join(root, "src", "server", "main.ts");
};

const url = (path: string): string => `http://127.0.0.1:${port}${path}`;

const isThere = async (): Promise<boolean> => {
  try {
    return (await fetch(url("/v1/health"))).ok;
  } catch {
    return false;
  }
};

const startServer = async (version: string): Promise<void> => {
  const settings = { NS_SERVER_DIR: join(folder, "server"), NS_PORT: String(port), NS_MOCK_GPUS: "1" };
  const env = { ...createUserEnvironment(home), ...settings };
  const server = spawn(process.execPath, [makeProgram(version)], { env, stdio: "ignore" });
  cleanUps.push(() => stopChild(server, "SIGTERM"));
  await waitUntil(isThere, "the server answers");
};

const listJobs = async (): Promise<readonly unknown[]> =>
  (await (await fetch(url("/v1/jobs"))).json()) as readonly unknown[];

const add = (): Promise<Finished> => nx("add", "-c", "-y", "-q", "--no-git", "true");

describe("a real server", () => {
  test("of another version within the major one works, and only nx and target add say so", async () => {
    const newer = `${MAJOR}.999.0`;
    await startServer(newer);
    const told = `Warning: the server is ${newer}, this client ${VERSION}; they work together, but this client lacks`;
    const overview = await nx();
    expect([overview.exitCode, overview.stderr]).toEqual([0, expect.stringContaining(told)]);
    expect(overview.stdout).not.toContain(newer);
    const json = await nx("--json");
    expect([json.exitCode, json.stderr]).toEqual([0, ""]);
    const added = await add();
    expect([added.exitCode, added.stderr]).toEqual([0, ""]);
    expect(await listJobs()).toHaveLength(1);
    const target = await nx("target", "add", "mine", url(""));
    expect([target.exitCode, target.stderr]).toEqual([0, expect.stringContaining(told)]);
  });

  test("of another major version is asked for nothing, with a word on what to upgrade", async () => {
    const newer = `${MAJOR + 1}.0.0`;
    await startServer(newer);
    const told = `nx: the server is ${newer}, this client ${VERSION}, which do not work together: upgrade this client\n`;
    for (const finished of [await add(), await nx("queue"), await nx("target", "add", "mine", url(""))])
      expect([finished.exitCode, finished.stdout, finished.stderr]).toEqual([1, "", told]);
    expect(await listJobs()).toHaveLength(0);
  });
});

describe("an earlier server, whose answers do not name its version", () => {
  type Asked = Readonly<{ method: string; path: string; agent: string | null }>;

  const startEarlier = (): readonly Asked[] => {
    const asked: Asked[] = [];
    const server = Bun.serve({
      port,
      hostname: "127.0.0.1",
      fetch: ({ method, url: text, headers }) => {
        asked.push({ method, path: new URL(text).pathname, agent: headers.get("user-agent") });
        return Response.json({ server_version: "0.5.3", node_name: "box", gpu_count: 1 });
      },
    });
    cleanUps.push(() => server.stop(true));
    return asked;
  };

  test("is asked before anything is sent to it, and nothing is", async () => {
    const asked = startEarlier();
    const added = await add();
    expect([added.exitCode, added.stderr]).toEqual([1, expect.stringContaining("upgrade the server")]);
    expect(asked).toContainEqual({ method: "GET", path: "/v1/server/status", agent: `nexus/${VERSION}` });
    expect(asked.filter(({ method }) => method !== "GET")).toEqual([]);
  });

  test("is not added as a target", async () => {
    startEarlier();
    const added = await nx("target", "add", "old", url(""));
    expect([added.exitCode, added.stderr]).toEqual([1, expect.stringContaining("upgrade the server")]);
  });
});
