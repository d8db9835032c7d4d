import { writeSync } from "node:fs";

const BLOCK = 4096;
const ZEROS = Buffer.alloc(BLOCK);

const isZero = (bytes: Buffer, from: number, to: number): boolean =>
  bytes[from] === 0 && bytes.compare(ZEROS, 0, to - from, from, to) === 0;

const listRuns = function* (bytes: Buffer, at: number): Generator<readonly [from: number, to: number]> {
  let begin = 0;
  for (let from = 0, to = BLOCK - (at % BLOCK); from < bytes.length; from = to, to += BLOCK) {
    const end = Math.min(to, bytes.length);
    if (!isZero(bytes, from, end)) continue;
    if (begin < from) yield [begin, from];
    begin = end;
  }
  if (begin < bytes.length) yield [begin, bytes.length];
};

export const writeAll = (fd: number, bytes: Uint8Array, at: number): void => {
  for (let done = 0; done < bytes.length; ) done += writeSync(fd, bytes, done, bytes.length - done, at + done);
};

/** Leaves out blocks of zeros, which nothing was ever written to. */
export const writeAround = (fd: number, bytes: Uint8Array, at: number): void => {
  const whole = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (const [from, to] of listRuns(whole, at)) writeAll(fd, whole.subarray(from, to), at + from);
};
