import { accessSync } from "node:fs";

/** `mode` is one of `constants` of `node:fs`. */
export const canAccess = (path: string, mode: number): boolean => {
  try {
    accessSync(path, mode);
    return true;
  } catch {
    return false;
  }
};
