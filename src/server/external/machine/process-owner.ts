import { readFile, stat } from "node:fs/promises";
import type { FindProcessOwner } from "../../core/machine/host.ts";
import { findUserName } from "./user-names.ts";

const askName = async (uid: number): Promise<string> => (await findUserName(uid)) ?? `uid ${uid}`;

/** By `/proc`; names of users are asked for once. Null for a process that is gone or not of this machine's view. */
export const createProcessOwners = (): FindProcessOwner => {
  const names = new Map<number, Promise<string>>();
  const findName = (uid: number): Promise<string> => {
    const known = names.get(uid) ?? askName(uid);
    names.set(uid, known);
    return known;
  };
  return async (pid) => {
    try {
      const [{ uid }, program] = await Promise.all([stat(`/proc/${pid}`), readFile(`/proc/${pid}/comm`, "utf8")]);
      const isOther = uid !== process.getuid?.();
      return { user: await findName(uid), program: program.trim(), ...(isOther ? { isOther } : {}) };
    } catch {
      return null;
    }
  };
};
