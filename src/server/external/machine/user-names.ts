import { runCommand } from "../../../tools/run-command.ts";

const LIMITS = { timeoutMs: 1000, maxOutputBytes: 4096 };

/** Whom this machine calls by that number, or null. */
export const findUserName = async (uid: number): Promise<string | null> => {
  const asked = await runCommand(["getent", "passwd", String(uid)], LIMITS);
  const name = asked.ok && asked.value.exitCode === 0 ? asked.value.stdout.split(":")[0]?.trim() : "";
  return name || null;
};
