import { runCommand } from "../../../tools/run-command.ts";

export type FindUserName = (uid: number) => Promise<string | null>;

type Known = { readonly name: Promise<string | null>; until: number };

const LIMITS = { timeoutMs: 1000, maxOutputBytes: 4096 };
const KNOWN_FOR_MS = 60_000;
const UNKNOWN_FOR_MS = 1000;

/** Whom this machine calls by that number, or null. */
export const findUserName: FindUserName = async (uid) => {
  const asked = await runCommand(["getent", "passwd", String(uid)], LIMITS);
  const name = asked.ok && asked.value.exitCode === 0 ? asked.value.stdout.split(":")[0]?.trim() : "";
  return name || null;
};

/** A name that was found is known for a minute, that there is none for a second; who asks meanwhile gets the same answer. */
export const createUserNames = (): FindUserName => {
  const known = new Map<number, Known>();
  return (uid) => {
    const now = performance.now();
    const before = known.get(uid);
    if (before !== undefined && now < before.until) return before.name;
    const asked = { name: findUserName(uid), until: now + KNOWN_FOR_MS };
    known.set(uid, asked);
    void asked.name.then((name) => {
      if (name === null) asked.until = now + UNKNOWN_FOR_MS;
    });
    return asked.name;
  };
};
