import { mkdirSync, readdirSync } from "node:fs";
import { rm, stat, statfs } from "node:fs/promises";
import { join } from "node:path";
import { describeError } from "../../../../base/describe-error.ts";
import { err, ok, type Problem, type Result } from "../../../../base/result.ts";
import { runCommand } from "../../../../tools/run-command.ts";
import type { Backups } from "../../../core/upkeep/backups.ts";
import { estimateCopy } from "./copy-database.ts";

type Program = readonly [string, ...string[]];
type Made = Result<string, Problem>;

const NAME = /^jobs-(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z\.db$/;
const PART = /\.part(-journal)?$/;
const HOUR_MS = 3_600_000;
const MAX_OUTPUT_BYTES = 65_536;

const locateFolder = (serverDir: string): string => join(serverDir, "backups");

const nameBackup = (time: number): string =>
  `jobs-${new Date(time * 1000).toISOString().slice(0, 19).replaceAll(/[-:]/g, "")}Z.db`;

const readTime = (name: string): readonly number[] => {
  const [, year, month, day, hour, minute, second] = NAME.exec(name) ?? [];
  return year === undefined ? [] : [Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`) / 1000];
};

const listNames = (serverDir: string): readonly string[] => {
  try {
    return readdirSync(locateFolder(serverDir));
  } catch {
    return [];
  }
};

/** In Unix seconds, those of the backups in the server's folder. */
export const listBackupTimes = (serverDir: string): readonly number[] => listNames(serverDir).flatMap(readTime);

/** Makes the folder, for its owner only, when it is not there. `time` in Unix seconds. */
export const prepareBackupPath = (serverDir: string, time: number): string => {
  const folder = locateFolder(serverDir);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  return join(folder, nameBackup(time));
};

/** The newest backup in the server's folder, null when there is none. */
export const findLatestBackup = (serverDir: string): string | null => {
  const times = listBackupTimes(serverDir);
  return times.length === 0 ? null : join(locateFolder(serverDir), nameBackup(Math.max(...times)));
};

const findShortage = async (serverDir: string): Promise<string | null> => {
  const size = estimateCopy(join(serverDir, "jobs.db"));
  const { bavail, bsize } = await statfs(serverDir);
  return size * 2 > bavail * bsize ? `a backup of ${size} bytes would take more than half of the free space` : null;
};

const removeParts = async (serverDir: string, now: number): Promise<void> => {
  for (const name of listNames(serverDir).filter((part) => PART.test(part))) {
    const path = join(locateFolder(serverDir), name);
    const { mtimeMs } = await stat(path);
    if (now * 1000 - mtimeMs > HOUR_MS) await rm(path, { force: true });
  }
};

const runBackup = async (serverDir: string, program: Program, path: string): Promise<Made> => {
  const argv: Program = [...program, "backup", "--server-dir", serverDir, "--output", path];
  const ran = await runCommand(argv, { timeoutMs: HOUR_MS, maxOutputBytes: MAX_OUTPUT_BYTES });
  if (!ran.ok) return ran;
  const { exitCode, stderr } = ran.value;
  return exitCode === 0 ? ok(path) : err({ message: stderr.trim() || `the program ended with ${exitCode}` });
};

const make = async (serverDir: string, program: Program, time: number): Promise<Made> => {
  try {
    const shortage = await findShortage(serverDir);
    if (shortage !== null) return err({ message: shortage });
    const path = prepareBackupPath(serverDir, time);
    await removeParts(serverDir, time);
    return await runBackup(serverDir, program, path);
  } catch (error) {
    return err({ message: describeError(error) });
  }
};

/** `program` starts nexus-server: a backup is made by a process of its own, so that no reader and no writer waits for it. */
export const createBackups = ({ serverDir, program }: Readonly<{ serverDir: string; program: Program }>): Backups => ({
  listTimes: () => listBackupTimes(serverDir),
  make: (time) => make(serverDir, program, time),
  remove: (time) => rm(join(locateFolder(serverDir), nameBackup(time)), { force: true }),
});
