import { runCommand } from "../../../tools/run-command.ts";

export type FindUserName = (uid: number) => Promise<string | null>;

type Known = Readonly<{ name: Promise<string | null>; since: number }>;

const LIMITS = { timeoutMs: 1000, maxOutputBytes: 4096 };
const KNOWN_FOR_MS = 60_000;

/** Whom this machine calls by that number, or null. */
export const findUserName: FindUserName = async (uid) => {
  const asked = await runCommand(["getent", "passwd", String(uid)], LIMITS);
  const name = asked.ok && asked.value.exitCode === 0 ? asked.value.stdout.split(":")[0]?.trim() : "";
  return name || null;
};

/** A name that was found is known for a minute, and who asks while it is looked up gets the same answer. */
export const createUserNames = (): FindUserName => {
  const known = new Map<number, Known>();
  const ask = async (uid: number): Promise<string | null> => {
    const name = await findUserName(uid);
    if (name === null) known.delete(uid);
    return name;
  };
  return (uid) => {
    const before = known.get(uid);
    if (before !== undefined && performance.now() - before.since < KNOWN_FOR_MS) return before.name;
    const name = ask(uid);
    known.set(uid, { name, since: performance.now() });
    return name;
  };
};
