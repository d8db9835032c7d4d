import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { checkAbility } from "./ability.ts";

const LIMIT_MS = 60_000;

const succeeds = (argv: readonly string[]): boolean =>
  spawnSync(argv[0] ?? "", argv.slice(1), { stdio: "ignore", timeout: LIMIT_MS }).status === 0;

const canDownload = (): boolean => {
  const folder = mkdtempSync(join(tmpdir(), "nexus-pip-"));
  try {
    return succeeds(["python3", "-m", "pip", "download", "--quiet", "--no-deps", "--dest", folder, "wheel"]);
  } finally {
    rmSync(folder, { recursive: true });
  }
};

export const canMakeVenvs: boolean = checkAbility(
  succeeds(["python3", "-c", "import venv, ensurepip"]),
  "python3-venv",
);

export const canInstall: boolean = checkAbility(canMakeVenvs && canDownload(), "a way to packages of PyPI");

/** For a test that installs packages: how long that takes is the network's and the disk's affair. */
export const INSTALL_LIMIT_MS = 180_000;

const run = (argv: readonly string[], cwd = "/"): void => {
  const { status, stderr } = spawnSync(argv[0] ?? "", argv.slice(1), { cwd, encoding: "utf8" });
  if (status !== 0) throw new Error(`${argv.join(" ")}: ${stderr}`);
};

/** A virtual environment, with pip in it where packages are named. */
export const makeVenv = (folder: string, packages: readonly string[] | null = null): string => {
  run(["python3", "-m", "venv", ...(packages === null ? ["--without-pip"] : []), folder]);
  if (packages !== null && packages.length > 0) run([join(folder, "bin", "pip"), "install", "--quiet", ...packages]);
  return folder;
};

export const runPython = (venv: string, words: readonly string[], cwd: string): void =>
  run([join(venv, "bin", "python"), ...words], cwd);

/** What activating it sets. */
export const activate = (venv: string): NodeJS.ProcessEnv => ({
  VIRTUAL_ENV: venv,
  PATH: `${venv}/bin:${process.env["PATH"]}`,
});
