const FULL = ["ENOSPC", "EDQUOT"];
const CLOSED = ["EACCES", "EPERM", "ENOTDIR"];
const READ_ONLY = "EROFS";

const readText = (error: object, name: string): string => {
  const value: unknown = Reflect.get(error, name);
  return typeof value === "string" ? value : "";
};

/** What is wrong with a file or folder, by default that which the error names, and what to do; null for an error of another kind. */
export const describeDiskTrouble = (error: unknown, subject?: string): string | null => {
  if (!(error instanceof Error)) return null;
  const code = readText(error, "code");
  const path = subject ?? readText(error, "path");
  const written = `${path === "" ? "a file" : path} can't be written, as its`;
  if (FULL.includes(code)) return `${written} disk is full: make room in HOME and in the folder of temporary files`;
  if (code === READ_ONLY) return `${written} file system is read-only: set HOME to a folder that you can write to`;
  if (!CLOSED.includes(code) || path === "") return null;
  return `${path} can't be used (${error.message}): make it yours, or set HOME to a folder that you may write`;
};
