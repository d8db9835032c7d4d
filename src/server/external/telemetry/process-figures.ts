import { readdirSync, readFileSync } from "node:fs";
import { describeValue, type Family } from "./exposition.ts";

const MICROSECONDS = 1e6;

const readMaxDescriptors = (): number => {
  const [, soft] = /^Max open files\s+(\S+)/m.exec(readFileSync("/proc/self/limits", "utf8")) ?? [];
  return soft === "unlimited" ? Number.POSITIVE_INFINITY : Number(soft);
};

const formatLimit = (limit: number): number => (Number.isFinite(limit) ? limit : Number.MAX_SAFE_INTEGER);

const describeDescriptors = (): readonly Family[] => {
  try {
    return [
      describeValue("process_open_fds", "Open file descriptors", readdirSync("/proc/self/fd").length - 1),
      describeValue("process_max_fds", "How many file descriptors may be open", formatLimit(readMaxDescriptors())),
    ];
  } catch {
    return [];
  }
};

const describeCpu = (): Family => {
  const { user, system } = process.cpuUsage();
  const value = (user + system) / MICROSECONDS;
  const help = "Processor time used, of the user and the system";
  return { ...describeValue("process_cpu_seconds_total", help, value), kind: "counter" };
};

/** The standard figures of a process; descriptors only where `/proc` is. */
export const createProcessFigures = (): (() => readonly Family[]) => {
  const startedAt = Date.now() / 1000 - process.uptime();
  return () => {
    const { rss, heapUsed } = process.memoryUsage();
    return [
      describeCpu(),
      describeValue("process_resident_memory_bytes", "Resident memory", rss),
      describeValue("process_heap_bytes", "Memory of the JavaScript heap", heapUsed),
      describeValue("process_start_time_seconds", "When the server started, in Unix seconds", startedAt),
      ...describeDescriptors(),
    ];
  };
};
