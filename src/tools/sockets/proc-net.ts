import { readFileSync } from "node:fs";
import { type AskEnd, type EndAddress, type EndQuestion, type KernelEnd, toBytes } from "./end-address.ts";

const IPV4_BYTES = 4;
const HEXADECIMAL = 16;
const MAPPED = "0000000000000000FFFF0000";
const TABLES = ["/proc/net/tcp", "/proc/net/tcp6"];

const toHex = (value: number, digits: number): string =>
  value.toString(HEXADECIMAL).toUpperCase().padStart(digits, "0");

const render = ({ address, port }: EndAddress): string | null => {
  const bytes = toBytes(address);
  if (bytes === null) return null;
  const view = new DataView(bytes.buffer);
  const words = Array.from({ length: bytes.length / IPV4_BYTES }, (_, word) => view.getUint32(word * IPV4_BYTES, true));
  return `${words.map((word) => toHex(word, 8)).join("")}:${toHex(port, 4)}`;
};

const readEnd = (line: string): KernelEnd => {
  const [, , , state = "", , , , uid, , inode] = line.trim().split(/\s+/);
  return { state: Number.parseInt(state, HEXADECIMAL), uid: Number(uid), inode: Number(inode) };
};

/** That end in the text of a table; of IPv4 also where an IPv6 socket has it. */
export const findEnd = (table: string, { own, other }: EndQuestion): KernelEnd | null => {
  const ends = [render(own), render(other)];
  if (ends.includes(null)) return null;
  const wanted = [` ${ends.join(" ")} `, ` ${ends.map((end) => `${MAPPED}${end}`).join(" ")} `];
  const line = table.split("\n").find((one) => wanted.some((pair) => one.includes(pair)));
  return line === undefined ? null : readEnd(line);
};

const readTable = (path: string): string => {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
};

export const isReadable = (): boolean => readTable(TABLES[0] ?? "") !== "";

/** Takes milliseconds, and more the more connections the machine has. */
export const askProcNet: AskEnd = (question) => {
  for (const path of TABLES) {
    const end = findEnd(readTable(path), question);
    if (end !== null) return end;
  }
  return null;
};
