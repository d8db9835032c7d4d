import { statSync } from "node:fs";

const OTHERS_READ = 0o044;

/** Whether others than the owner may read the file; one that is not there nobody can. */
export const isReadByOthers = (path: string): boolean => {
  const found = statSync(path, { throwIfNoEntry: false });
  return found !== undefined && (found.mode & OTHERS_READ) !== 0;
};
