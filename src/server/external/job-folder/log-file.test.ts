import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import {
  appendFileSync,
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { JobId } from "../../core/jobs/job.ts";
import { createLogFile } from "./log-file.ts";

const MIB = 1024 * 1024;
const id = "abc123" as JobId;
const countBytesRead = (): number => Number(/^rchar: (\d+)$/m.exec(readFileSync("/proc/self/io", "utf8"))?.[1]);

let serverDir: string;
let path: string;

beforeEach(() => {
  serverDir = mkdtempSync(join(tmpdir(), "nexus-log-"));
  mkdirSync(join(serverDir, "jobs", id), { recursive: true });
  path = join(serverDir, "jobs", id, "output.log");
});

afterEach(() => rmSync(serverDir, { recursive: true, force: true }));

const tail = async (lastLines: number | null): Promise<string> =>
  Buffer.from(await createLogFile(serverDir).readTail(id, lastLines)).toString();

const writeAt = (position: number, text: string): void => {
  const file = openSync(path, "a+");
  closeSync(file);
  const writable = openSync(path, "r+");
  writeSync(writable, text, position);
  closeSync(writable);
};

const countFds = (): number => readdirSync("/proc/self/fd").length;

describe("readTail", () => {
  test.each([
    ["a\nb\nc\n", 2, "b\nc\n"],
    ["a\nb\nc", 2, "b\nc"],
    ["a\nb\nc\n", 3, "a\nb\nc\n"],
    ["a\nb\nc\n", 99, "a\nb\nc\n"],
    ["a\nb\n", 0, ""],
    ["\n\n\n", 2, "\n\n"],
    ["one", 1, "one"],
    ["", 5, ""],
    ["a\nb\n", null, "a\nb\n"],
  ])("%p: the last %p lines are %p", async (text, lastLines, expected) => {
    writeFileSync(path, text);
    expect(await tail(lastLines)).toBe(expected);
  });

  test("gives the same as splitting does, across blocks", async () => {
    const lines = Array.from({ length: 20_000 }, (_, index) => `${index} ${"x".repeat(index % 97)}\n`);
    writeFileSync(path, lines.join(""));
    for (const count of [1, 1000, 1999, 19_999, 20_000]) expect(await tail(count)).toBe(lines.slice(-count).join(""));
  });

  test("counts a line that a program went back to once, wherever the blocks end", async () => {
    const start = `epoch 1\r\n${"x".repeat(100)}\r\n`;
    const bars = Array.from({ length: 4000 }, (_, index) => `\r a ${index}\r\n\r b ${index}\r\n\r c\u001b[2A`).join("");
    const rich = Array.from({ length: 4000 }, (_, index) => `\r\u001b[1A\u001b[Aa ${index}\r\nb\r\nc`).join("");
    for (const block of [bars, `${"\r\n".repeat(2)}${rich}`]) {
      const end = `${block}\r\n${"\r\n".repeat(block === bars ? 2 : 0)}last\r\n`;
      writeFileSync(path, start + end);
      expect(await tail(4)).toBe(end);
      expect(await tail(5)).toBe(`${"x".repeat(100)}\r\n${end}`);
      expect(await tail(1)).toBe("last\r\n");
    }
  });

  test("a log that is not there is empty", async () => {
    expect(await tail(10)).toBe("");
    expect(await tail(null)).toBe("");
  });

  test("bytes that are no UTF-8 come as they are", async () => {
    writeFileSync(path, Buffer.from([0x61, 10, 0xff, 0xfe, 10]));
    expect(await createLogFile(serverDir).readTail(id, 1)).toEqual(new Uint8Array([0xff, 0xfe, 10]));
  });

  test("costs what it returns, not what the log holds", async () => {
    writeFileSync(path, "");
    writeAt(200 * MIB, `\n${"line\n".repeat(100)}`);
    const before = countBytesRead();
    expect(await tail(100)).toBe("line\n".repeat(100));
    expect(countBytesRead() - before).toBeLessThan(MIB);
  });

  test("holds at most the last 10 MiB, cut at the start of a line if there is one", async () => {
    writeFileSync(path, `first\n${"x".repeat(11 * MIB)}`);
    expect((await tail(1)).length).toBe(10 * MIB);
    expect((await tail(null)).length).toBe(10 * MIB);
    appendFileSync(path, "\nlast\n");
    expect(await tail(1)).toBe("last\n");
    expect(await tail(2)).toBe("last\n");
    expect(await tail(null)).toBe("last\n");
  });
});

const collect = async (stream: ReadableStream<Uint8Array>): Promise<string> => new Response(stream).text();

describe("follow", () => {
  test("gives what is there, then what is appended, until the job has ended and all is read", async () => {
    writeFileSync(path, "1\n2\n3\n");
    let ended = false;
    const reader = createLogFile(serverDir)
      .follow(id, 2, () => ended)
      .getReader();
    const next = async (): Promise<string> => Buffer.from((await reader.read()).value ?? []).toString();
    expect(await next()).toBe("2\n3\n");
    const appended = next();
    appendFileSync(path, "4\n");
    expect(await appended).toBe("4\n");
    appendFileSync(path, "5\n");
    ended = true;
    expect(await next()).toBe("5\n");
    expect((await reader.read()).done).toBe(true);
  });

  test("begins when a log appears, and ends if none ever does", async () => {
    let ended = false;
    const reader = createLogFile(serverDir)
      .follow(id, null, () => ended)
      .getReader();
    const late = reader.read();
    writeFileSync(path, "late\n");
    expect(Buffer.from((await late).value ?? []).toString()).toBe("late\n");
    ended = true;
    expect((await reader.read()).done).toBe(true);
    rmSync(path);
    expect(await collect(createLogFile(serverDir).follow(id, 5, () => true))).toBe("");
  });

  test("gives what was written before the job was seen to have ended, however late that was", async () => {
    writeFileSync(path, "");
    let ended = false;
    const seeEnd = (): boolean => {
      if (!ended) appendFileSync(path, "last\n");
      ended = true;
      return true;
    };
    expect(await collect(createLogFile(serverDir).follow(id, null, seeEnd))).toBe("last\n");
  });

  test("of a job that has ended gives all of a large log", async () => {
    const text = "0123456789abcde\n".repeat(200_000);
    writeFileSync(path, text);
    expect((await collect(createLogFile(serverDir).follow(id, null, () => true))) === text).toBe(true);
  });

  test("reads no more than is asked for", async () => {
    writeFileSync(path, "x".repeat(5 * MIB));
    const reader = createLogFile(serverDir)
      .follow(id, null, () => true)
      .getReader();
    const { value } = await reader.read();
    expect(value?.length).toBeLessThanOrEqual(64 * 1024);
    await reader.cancel();
  });

  test("cancelled, it gives back its descriptors, also while it waits", async () => {
    writeFileSync(path, "x\n");
    await tail(1);
    const warmUp = createLogFile(serverDir)
      .follow(id, null, () => false)
      .getReader();
    await warmUp.read();
    await warmUp.cancel();
    const before = countFds();
    const readers = Array.from({ length: 20 }, () =>
      createLogFile(serverDir)
        .follow(id, null, () => false)
        .getReader(),
    );
    await Promise.all(readers.map((reader) => reader.read()));
    const waiting = readers.map((reader) => reader.read());
    await Promise.all(readers.map((reader) => reader.cancel()));
    for (const { done } of await Promise.all(waiting)) expect(done).toBe(true);
    expect(countFds()).toBe(before);
  });
});

test("a follower is one from its first byte until its end, however it ends", async () => {
  let followers = 0;
  const logs = createLogFile(serverDir, () => {
    followers += 1;
    return () => {
      followers -= 1;
    };
  });
  writeFileSync(path, "line\n");
  let hasEnded = false;
  const read = logs.follow(id, null, () => hasEnded).getReader();
  const left = logs.follow(id, null, () => false).getReader();
  await Promise.all([read.read(), left.read()]);
  expect(followers).toBe(2);
  await left.cancel();
  expect(followers).toBe(1);
  hasEnded = true;
  await read.read();
  expect(followers).toBe(0);
});
