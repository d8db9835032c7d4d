import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, readdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { readErrorCode } from "../../src/base/error-code.ts";
import { checkAbility } from "./ability.ts";
import { type Finished, runProgram } from "./programs.ts";

/** A user of this machine for the time of a test, with a home of their own; `run` runs a program as them. */
export type UnixUser = Readonly<{
  name: string;
  uid: number;
  home: string;
  as: (argv: readonly string[]) => readonly string[];
  run: (argv: readonly string[], env?: NodeJS.ProcessEnv) => Promise<Finished>;
}>;

export const canMakeUsers: boolean = checkAbility(
  process.getuid?.() === 0 && Bun.which("useradd") !== null,
  "root and useradd, to make users",
);

const readUid = (name: string): number => Number(execFileSync("id", ["-u", name], { encoding: "utf8" }));

/** `kind` says what `useradd` shall make. */
export const makeUser = (folder: string, nickname: string, ...kind: readonly string[]): UnixUser => {
  const name = `nx${nickname}${process.pid}`;
  const home = join(folder, nickname);
  execFileSync("useradd", ["--no-create-home", "--home-dir", home, ...kind, name]);
  mkdirSync(home, { mode: 0o700 });
  execFileSync("chown", [`${name}:`, home]);
  chmodSync(folder, 0o755);
  const uid = readUid(name);
  const as: UnixUser["as"] = (argv) => ["setpriv", "--reuid", name, "--regid", name, "--clear-groups", ...argv];
  const run: UnixUser["run"] = (argv, env = {}) =>
    runProgram(as(argv), { env: { PATH: process.env["PATH"], HOME: home, USER: name, ...env }, cwd: folder });
  return { name, uid, home, as, run };
};

const endProcesses = (uid: number): void => {
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      if (statSync(`/proc/${pid}`).uid === uid) process.kill(Number(pid), "SIGKILL");
    } catch (error) {
      if (!["ENOENT", "ESRCH"].includes(readErrorCode(error))) throw error;
    }
  }
};

/** With their processes, and the folder that screen made for them. */
export const removeUser = ({ name, uid }: UnixUser): void => {
  endProcesses(uid);
  rmSync(`/run/screen/S-${name}`, { recursive: true, force: true });
  execFileSync("userdel", ["--force", name], { stdio: "ignore" });
};
