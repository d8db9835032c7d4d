import { chmodSync, existsSync, mkdirSync } from "node:fs";
import { resolve } from "node:path";
import { runCommand } from "../../../tools/run-command.ts";
import type { Environment } from "../../core/store.ts";
import type { ScreenHandle } from "./launch-session.ts";

type Session = Pick<ScreenHandle, "pid" | "session">;

const WIPE_LIMITS = { timeoutMs: 5000, maxOutputBytes: 65_536 };
const LIST_LIMITS = { timeoutMs: 2000, maxOutputBytes: 1_048_576 };
const USABLE = /\bSockets? /;

const locateOwnFolder = (serverDir: string): string => resolve(serverDir, "screen");

const makeOwnFolder = (serverDir: string): string => {
  const folder = locateOwnFolder(serverDir);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  chmodSync(folder, 0o700);
  return folder;
};

const nameFolder = (folder: string | null): Environment => (folder === null ? {} : { SCREENDIR: folder });

/** No other session has this name, also when a job of the same id was started before. */
export const nameExactly = ({ pid, session }: Session): string => `${pid}.${session}`;

/** What tells screen its folder: nothing while the system's can be used, else one of the server's own. */
export const chooseScreenFolder = async (serverDir: string, env: Environment): Promise<Environment> => {
  const listed = await runCommand(["screen", "-ls", "nexus_none"], { ...LIST_LIMITS, env });
  return nameFolder(!listed.ok || USABLE.test(listed.value.stdout) ? null : makeOwnFolder(serverDir));
};

/** What tells screen the folder in which a session was begun. */
export const findScreenFolder = (serverDir: string, session: Session): Environment => {
  const own = locateOwnFolder(serverDir);
  return nameFolder(existsSync(`${own}/${nameExactly(session)}`) ? own : null);
};

/** Removes the socket of a session that was killed; of one that lives it is left. */
export const wipeSession = async (serverDir: string, session: Session): Promise<void> => {
  const env = { ...process.env, ...findScreenFolder(serverDir, session) };
  await runCommand(["screen", "-wipe", nameExactly(session)], { ...WIPE_LIMITS, env });
};
