import { readFileSync } from "node:fs";

/** The number that stands for all users of other namespaces. */
export const readOverflowUid = (): number => Number(readFileSync("/proc/sys/kernel/overflowuid", "utf8"));
