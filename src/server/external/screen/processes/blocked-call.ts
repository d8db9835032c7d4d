import { closeSync, openSync, readdirSync, readFileSync, readlinkSync, readSync } from "node:fs";

type Waited = readonly number[] | null;

type Call = Readonly<{ pid: number; args: readonly number[] }>;
type Kind = "read" | "poll" | "ppoll" | "select" | "epoll";

const X64: Readonly<Record<number, Kind>> = {
  ...{ 0: "read", 19: "read", 7: "poll", 271: "ppoll", 23: "select", 270: "select" },
  ...{ 232: "epoll", 281: "epoll" },
};
const ARM64: Readonly<Record<number, Kind>> = { 63: "read", 65: "read", 72: "select", 73: "ppoll", 22: "epoll" };
const KINDS = process.arch === "arm64" ? ARM64 : X64;

const READING: ReadonlySet<string> = new Set(["n_tty_read", "wait_woken"]);
const ENDLESS = 0xffffffff;
const MAX_FILES = 1024;
const POLL_BYTES = 8;
const OWN_WAKERS = 1;

const isEndless = (timeout: number): boolean => timeout % 2 ** 32 === ENDLESS;

const readMemory = (pid: number, address: number, bytes: number): Buffer => {
  const memory = openSync(`/proc/${pid}/mem`, "r");
  try {
    const buffer = Buffer.alloc(bytes);
    return buffer.subarray(0, readSync(memory, buffer, 0, bytes, address));
  } finally {
    closeSync(memory);
  }
};

const listPolled = ({ pid, args: [address = 0, count = 0] }: Call): Waited => {
  const entries = readMemory(pid, address, Math.min(count, MAX_FILES) * POLL_BYTES);
  const files = Array.from({ length: entries.length / POLL_BYTES }, (_, index) =>
    entries.readInt32LE(index * POLL_BYTES),
  );
  return files.filter((file) => file >= 0);
};

const listSelected = ({ pid, args: [count = 0, readable = 0, writable = 0, , timeout = 0] }: Call): Waited => {
  if (timeout !== 0 || writable !== 0 || readable === 0) return null;
  const bits = readMemory(pid, readable, Math.ceil(Math.min(count, MAX_FILES) / 8));
  const files = Array.from({ length: bits.length * 8 }, (_, file) => file);
  return files.filter((file) => ((bits[file >> 3] ?? 0) & (1 << (file & 7))) !== 0);
};

const listWatched = ({ pid, args: [file = 0, , , timeout = 0] }: Call): Waited => {
  if (!isEndless(timeout)) return null;
  const info = readFileSync(`/proc/${pid}/fdinfo/${file}`, "latin1");
  return Array.from(info.matchAll(/^tfd:\s*(\d+)/gm), ([, watched]) => Number(watched));
};

const listWaited = (kind: Kind, call: Call): Waited => {
  const [first = 0, , third = 0] = call.args;
  switch (kind) {
    case "read":
      return [first];
    case "poll":
      return isEndless(third) ? listPolled(call) : null;
    case "ppoll":
      return third === 0 ? listPolled(call) : null;
    case "select":
      return listSelected(call);
    case "epoll":
      return listWatched(call);
  }
};

const isTerminal = (pid: number, file: number | string, terminal: string): boolean => {
  const path = readlinkSync(`/proc/${pid}/fd/${file}`);
  return path === terminal || path === "/dev/tty";
};

/**
 * Whether the process can go on only with input from the terminal. A program that waits for several files at once and in them for
 * the terminal waits for something else too, but for the one by which a loop of events wakes itself. Throws where the kernel does not let
 * this process look, as it does of what a server before this one launched where `kernel.yama.ptrace_scope` is set.
 */
export const waitsForTerminal = (pid: number, terminal: string): boolean => {
  const [number = "", ...words] = readFileSync(`/proc/${pid}/syscall`, "latin1").trim().split(" ");
  const kind = KINDS[Number(number)];
  if (kind === undefined || words.length === 0) return false;
  const files = listWaited(kind, { pid, args: words.map(Number) }) ?? [];
  const others = files.filter((file) => !isTerminal(pid, file, terminal)).length;
  return others < files.length && others <= (kind === "epoll" ? OWN_WAKERS : 0);
};

/** The same by less, which the kernel lets the owner of the process know: only one that reads, and that has no connection on which it may. Throws for a process of somebody else. */
export const seemsToReadTerminal = (pid: number, terminal: string): boolean => {
  const files = readdirSync(`/proc/${pid}/fd`);
  const isConnected = files.some((file) => readlinkSync(`/proc/${pid}/fd/${file}`).startsWith("socket:"));
  if (isConnected || !files.some((file) => isTerminal(pid, file, terminal))) return false;
  return READING.has(readFileSync(`/proc/${pid}/wchan`, "latin1"));
};
