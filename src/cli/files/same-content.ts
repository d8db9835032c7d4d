import { closeSync } from "node:fs";
import { isSameAt } from "../../tools/same-content.ts";
import type { Sink } from "./read-file.ts";

/** Wants a file only as long as it is the same as the open one. */
export const createComparison = (fd: number): Sink & Readonly<{ close: () => void }> => {
  let size = 0;
  let known: string | null = null;
  return {
    takesHoles: false,
    size: () => size,
    tag: () => known,
    begin: (tag) => {
      known = tag;
      size = 0;
    },
    write: (bytes, at) => {
      if (!isSameAt(fd, bytes, at)) return false;
      size = at + bytes.length;
      return true;
    },
    close: () => closeSync(fd),
  };
};
