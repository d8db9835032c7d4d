import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import { checkAbility } from "./ability.ts";
import { stopChild } from "./programs.ts";

/** Mounts that only those see who `enter`: `run` changes them, `dispose` ends them. */
export type OwnMounts = Readonly<{
  enter: (argv: readonly string[]) => readonly string[];
  run: (...argv: readonly string[]) => void;
  dispose: () => Promise<void>;
}>;

export const canMountAlone: boolean = checkAbility(
  process.getuid?.() === 0 && spawnSync("unshare", ["--mount", "true"]).status === 0,
  "root and namespaces, to mount what others do not see",
);

const awaitWord = (holder: ChildProcess): Promise<void> =>
  new Promise((resolve) => holder.stdout?.once("data", () => resolve()));

export const openOwnMounts = async (): Promise<OwnMounts> => {
  const holder = spawn("unshare", ["--mount", "sh", "-c", "echo up; exec sleep 600"], {
    stdio: ["ignore", "pipe", "ignore"],
  });
  await awaitWord(holder);
  const enter: OwnMounts["enter"] = (argv) => ["nsenter", `--mount=/proc/${holder.pid}/ns/mnt`, ...argv];
  return {
    enter,
    run: (...argv) => {
      const [program = "", ...args] = enter(argv);
      execFileSync(program, args);
    },
    dispose: () => stopChild(holder, "SIGKILL"),
  };
};
