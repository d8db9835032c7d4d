import { readFile, stat } from "node:fs/promises";
import type { FindProcessOwner } from "../core/ports.ts";
import { runCommand } from "./run-command.ts";

const LIMITS = { timeoutMs: 1000, maxOutputBytes: 4096 };

const askName = async (uid: number): Promise<string> => {
  const asked = await runCommand(["id", "-un", String(uid)], LIMITS);
  const name = asked.ok && asked.value.exitCode === 0 ? asked.value.stdout.trim() : "";
  return name === "" ? `uid ${uid}` : name;
};

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
      return { user: await findName(uid), program: program.trim() };
    } catch {
      return null;
    }
  };
};
