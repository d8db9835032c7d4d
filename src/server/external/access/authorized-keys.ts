import { chmodSync, lstatSync, mkdirSync, readFileSync, type Stats } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { describeError } from "../../../base/describe-error.ts";
import { readErrorCode } from "../../../base/error-code.ts";
import { err, ok, type Problem, type Result } from "../../../base/result.ts";
import { replaceFile } from "../../../tools/replace-file.ts";
import { type AuthorizedKeys, hasAuthorizedKey, renderAuthorizedKey, type SshKey } from "../../core/access/ssh-key.ts";
import { beginExclusive } from "../sqlite/lock-folder.ts";

type Registration = Awaited<ReturnType<AuthorizedKeys["register"]>>;

/** `program` is what a key may run; for a key of one owner, `--user=NAME` follows. `home` is that of the user whom the keys are for. */
export type AuthorizedKeysOptions = Readonly<{ home: string; program: readonly string[] }>;

const PRIVATE_FILE = 0o600;
const PRIVATE_FOLDER = 0o700;
const MODE_BITS = 0o777;
const LOCK_POLL_MS = 10;
const LOCK_LIMIT_MS = 10_000;
const NEW_LINE = "\n".charCodeAt(0);

const refuse = (message: string): Result<never, Problem> => err({ message });

const checkOwn = (path: string, kind: "file" | "folder"): Result<Stats | null, Problem> => {
  const entry = lstatSync(path, { throwIfNoEntry: false });
  if (entry === undefined) return ok(null);
  if (entry.isSymbolicLink()) return refuse(`${path} is a link: keys are not written through one`);
  if (kind === "file" ? !entry.isFile() : !entry.isDirectory()) return refuse(`${path} is no ${kind}`);
  return entry.uid === process.getuid?.() ? ok(entry) : refuse(`${path} belongs to another user`);
};

const makePrivate = (path: string, mode: number, { mode: current }: Stats): void => {
  if ((current & MODE_BITS) !== mode) chmodSync(path, mode);
};

const prepareFolder = (folder: string): Result<void, Problem> => {
  mkdirSync(folder, { recursive: true, mode: PRIVATE_FOLDER });
  const entry = checkOwn(folder, "folder");
  if (!entry.ok) return entry;
  if (entry.value !== null) makePrivate(folder, PRIVATE_FOLDER, entry.value);
  return ok(undefined);
};

const appendLine = (before: Buffer, line: string): Buffer => {
  const isOpen = before.length > 0 && before.at(-1) !== NEW_LINE;
  return Buffer.concat([before, Buffer.from(`${isOpen ? "\n" : ""}${line}\n`)]);
};

const addKey = (path: string, key: SshKey, program: readonly string[]): Registration => {
  const entry = checkOwn(path, "file");
  if (!entry.ok) return entry;
  const before = entry.value === null ? Buffer.alloc(0) : readFileSync(path);
  if (entry.value !== null && hasAuthorizedKey(before.toString("latin1"), key)) {
    makePrivate(path, PRIVATE_FILE, entry.value);
    return ok("exists");
  }
  replaceFile(path, appendLine(before, renderAuthorizedKey(key, program)), PRIVATE_FILE);
  return ok("registered");
};

const tryLock = (path: string): Readonly<{ close: () => void }> | null => {
  try {
    return beginExclusive(path);
  } catch (error) {
    if (readErrorCode(error).startsWith("SQLITE_BUSY")) return null;
    throw error;
  }
};

const withLock = async (path: string, act: () => Registration): Promise<Registration> => {
  const deadline = performance.now() + LOCK_LIMIT_MS;
  for (;;) {
    const lock = tryLock(path);
    try {
      if (lock !== null) return act();
    } finally {
      lock?.close();
    }
    if (performance.now() > deadline) return refuse(`${path} is held by another program`);
    await pause(LOCK_POLL_MS);
  }
};

/** `~/.ssh/authorized_keys`. Whoever writes holds a lock that the kernel drops with the process; the file appears whole. */
export const createAuthorizedKeys = ({ home, program }: AuthorizedKeysOptions): AuthorizedKeys => {
  const folder = join(home, ".ssh");
  const path = join(folder, "authorized_keys");
  return {
    register: async (key, owner) => {
      const command = owner === null ? program : [...program, `--user=${owner}`];
      try {
        const prepared = prepareFolder(folder);
        return prepared.ok ? await withLock(`${path}.lock`, () => addKey(path, key, command)) : prepared;
      } catch (error) {
        return refuse(`${path} can't be written: ${describeError(error)}`);
      }
    },
  };
};
