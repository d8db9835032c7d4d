import { existsSync, statSync } from "node:fs";

/** Root goes on as the user whose folder it is, so that nothing in it comes to belong to root. */
export const becomeOwner = (folder: string): void => {
  if (process.getuid?.() !== 0 || !existsSync(folder)) return;
  const { uid, gid } = statSync(folder);
  if (uid === 0) return;
  process.setgroups?.([gid]);
  process.setgid?.(gid);
  process.setuid?.(uid);
};
