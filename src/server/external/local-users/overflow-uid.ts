import { readFileSync } from "node:fs";

const ALL_USERS = /^\s*0\s+0\s+4294967295\s*$/;

/** The number that stands for all users of other namespaces; null in a namespace of which all users are. */
export const readOverflowUid = (): number | null =>
  ALL_USERS.test(readFileSync("/proc/self/uid_map", "utf8"))
    ? null
    : Number(readFileSync("/proc/sys/kernel/overflowuid", "utf8"));
