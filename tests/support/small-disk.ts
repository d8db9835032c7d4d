import { spawnSync } from "node:child_process";
import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { checkAbility } from "./ability.ts";

/** `fill` leaves no byte free, `makeRoom` takes that back. `setReadOnly` changes a folder of it, or all of it. */
export type SmallDisk = Readonly<{
  path: string;
  fill: () => void;
  makeRoom: () => void;
  setReadOnly: (isReadOnly: boolean, folder?: string) => void;
  dispose: () => void;
}>;

const BLOCK = new Uint8Array(4096);

const run = (program: string, words: readonly string[]): boolean => spawnSync(program, words).status === 0;

const mountDisk = (path: string, mebibytes: number): boolean =>
  run("mount", ["-t", "tmpfs", "-o", `size=${mebibytes}m`, "tmpfs", path]);

const tryMount = (): boolean => {
  const path = mkdtempSync(join(tmpdir(), "nexus-disk-"));
  const isMounted = mountDisk(path, 1);
  if (isMounted) run("umount", [path]);
  rmSync(path, { recursive: true });
  return isMounted;
};

export const canMount: boolean = checkAbility(tryMount(), "leave to mount a disk");

const fillFile = (path: string): void => {
  const file = openSync(path, "a");
  try {
    for (;;) writeSync(file, BLOCK);
  } catch {
    return;
  } finally {
    closeSync(file);
  }
};

const bindFolder = (path: string, isReadOnly: boolean): void => {
  if (!isReadOnly) run("umount", [path]);
  else if (!run("mount", ["--bind", path, path]) || !run("mount", ["-o", "remount,bind,ro", path]))
    throw new Error(`${path} can't be made read-only`);
};

const remountDisk = (path: string, isReadOnly: boolean): void => {
  if (!run("mount", ["-o", `remount,${isReadOnly ? "ro" : "rw"}`, path])) throw new Error(`${path} can't be remounted`);
};

export const createSmallDisk = (mebibytes: number): SmallDisk => {
  const path = mkdtempSync(join(tmpdir(), "nexus-disk-"));
  mountDisk(path, mebibytes);
  mkdirSync(join(path, "server"), { mode: 0o700 });
  const filling = join(path, "filling");
  return {
    path,
    fill: () => fillFile(filling),
    makeRoom: () => rmSync(filling, { force: true }),
    setReadOnly: (isReadOnly, folder) =>
      folder === undefined ? remountDisk(path, isReadOnly) : bindFolder(join(path, folder), isReadOnly),
    dispose: () => {
      run("umount", ["-l", path]);
      rmSync(path, { recursive: true });
    },
  };
};
