import { Database } from "bun:sqlite";
import { existsSync, readdirSync, readFileSync, readlinkSync, realpathSync, statSync } from "node:fs";
import { join } from "node:path";
import { describeError } from "../../../base/describe-error.ts";
import { err, ok, type Problem, type Result } from "../../../base/result.ts";
import { isOfEarlierNexus } from "../sqlite/earlier-schema.ts";
import { readVersion, refuseVersion } from "../sqlite/migrate.ts";

/** `absent`: there is no such database; `busy`: a program has it open. */
export type Unusable = Problem & Readonly<{ kind: "absent" | "busy" | "unfit" }>;

export const EARLIER_DATABASE = "nexus_server.db";

const OTHER_NAME = "jobs.db";
const ROOT = 0;

const refuse = (kind: Unusable["kind"], message: string): Result<never, Unusable> => err({ kind, message });

const listNumbers = (folder: string): readonly string[] => readdirSync(folder).filter((name) => /^\d+$/.test(name));

const hasOpened = (pid: string, path: string): boolean => {
  try {
    const folder = `/proc/${pid}/fd`;
    return listNumbers(folder).some((name) => {
      try {
        return readlinkSync(join(folder, name)) === path;
      } catch {
        return false;
      }
    });
  } catch {
    return false;
  }
};

const findReader = (path: string): string | null => {
  const real = realpathSync(path);
  const pid = listNumbers("/proc").find((one) => Number(one) !== process.pid && hasOpened(one, real));
  return pid === undefined ? null : `${readFileSync(`/proc/${pid}/comm`, "utf8").trim()}, pid ${pid}`;
};

/** Refuses a database that another program has open, as the earlier server does while it runs. */
export const checkUnused = (path: string): Result<void, Unusable> => {
  const reader = findReader(path);
  if (reader === null) return ok(undefined);
  return refuse(
    "busy",
    `${path} is open in another program (${reader}): stop the earlier server first; its jobs go on`,
  );
};

const explainOther = (path: string): string => {
  const db = new Database(path, { readonly: true });
  try {
    if (isOfEarlierNexus(db)) return "";
    if (readVersion(db) === 0) return `${path} is no database of the earlier Nexus`;
    return refuseVersion(db, path) ?? `${path} is of this Nexus already: --server-dir names its folder`;
  } finally {
    db.close();
  }
};

const checkDatabase = (path: string): Result<string, Unusable> => {
  const uid = process.getuid?.() ?? ROOT;
  if (uid !== ROOT && statSync(path).uid !== uid)
    return refuse("unfit", `${path} belongs to another user: import as that one, into a server folder of theirs`);
  const unused = checkUnused(path);
  if (!unused.ok) return unused;
  if (existsSync(`${path}-wal`) || existsSync(`${path}-journal`)) return ok(path);
  const mistake = explainOther(path);
  return mistake === "" ? ok(path) : refuse("unfit", mistake);
};

const findFile = (folder: string): Result<string, Unusable> => {
  const found = [EARLIER_DATABASE, OTHER_NAME].map((name) => join(folder, name)).find((path) => existsSync(path));
  if (found !== undefined) return ok(found);
  const isFolder = statSync(folder, { throwIfNoEntry: false })?.isDirectory() === true;
  return refuse("absent", isFolder ? `there is no ${EARLIER_DATABASE} in ${folder}` : `there is no folder ${folder}`);
};

/** The database of the earlier Nexus in a folder; only reads. */
export const findEarlierDatabase = (folder: string): Result<string, Unusable> => {
  try {
    const path = findFile(folder);
    return path.ok ? checkDatabase(path.value) : path;
  } catch (error) {
    return refuse("unfit", `${folder} can't be read: ${describeError(error)}`);
  }
};
