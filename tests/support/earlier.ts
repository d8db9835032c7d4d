import { Database } from "bun:sqlite";
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { FIXTURES } from "./programs.ts";
import { makeVenv, runPython } from "./python.ts";

const EARLIER_PACKAGE = "nexusai==0.5.20";
const NEEDED = [
  ...["aiohttp", "argcomplete", "base58", "psutil", "pydantic-settings", "python-dotenv", "requests"],
  ...["speedtest-cli", "termcolor", "toml"],
];

const FIXTURE = join(FIXTURES, "earlier");
const SCRIPT = join(import.meta.dirname, "earlier_nexus.py");
const LIMIT_MS = 60_000;

/** What the earlier Nexus left, as its own code wrote it, in a new folder; jobs' folders are in `job-folders` there. */
export const copyEarlier = (folder: string): string => {
  cpSync(FIXTURE, folder, { recursive: true });
  const db = new Database(join(folder, "nexus_server.db"));
  db.query("update jobs set dir = ? || substr(dir, instr(dir, '/job-folders/'))").run(folder);
  mkdirSync(join(folder, "home"), { recursive: true });
  db.close();
  return folder;
};

export const changeEarlier = (folder: string, sql: string, name = "nexus_server.db"): void => {
  const db = new Database(join(folder, name));
  db.exec(sql);
  db.close();
};

export const installEarlier = (folder: string): string => {
  const venv = makeVenv(folder, NEEDED);
  runPython(venv, ["-m", "pip", "install", "--quiet", "--no-deps", EARLIER_PACKAGE], folder);
  return venv;
};

/** Runs the earlier Nexus's own code, from a virtual environment that has it. */
export const runEarlier = (venv: string, words: readonly string[], env: NodeJS.ProcessEnv): void => {
  const argv = [SCRIPT, ...words];
  const { status, stderr } = spawnSync(join(venv, "bin", "python"), argv, { env, encoding: "utf8", timeout: LIMIT_MS });
  if (status !== 0) throw new Error(`${argv.join(" ")}: ${stderr}`);
};
