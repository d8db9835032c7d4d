import { describe, expect, test } from "bun:test";
import { listPids, parseStat, readBootId, readLabel, readProcess } from "./process-table.ts";

const stat = (name: string, state = "S"): string =>
  `42 (${name}) ${state} 7 42 40 34817 42 4194304 1 2 3 4 5 6 7 8 20 0 1 0 987654 1 2 3`;

describe("parseStat", () => {
  test.each(["bash", "a b", "x) S 1 1 1 (", "((", "\n)"])("copes with the name %p", (name) => {
    expect(parseStat(stat(name))).toEqual({ pid: 42, name, parentPid: 7, sessionId: 40, startTicks: 987654 });
  });

  test("a zombie is no process, nor is nonsense", () => {
    expect(parseStat(stat("x", "Z"))).toBeNull();
    expect(parseStat(stat("x", "X"))).toBeNull();
    expect(parseStat("")).toBeNull();
  });
});

describe("the table", () => {
  test("holds this process as it is", () => {
    expect(listPids()).toContain(process.pid);
    expect(readLabel(process.pid)).toEqual({ kind: "none" });
    expect(readProcess(process.pid)?.parentPid).toBe(process.ppid);
    expect(readProcess(999_999_999)).toBeNull();
    expect(readBootId()).toMatch(/^[0-9a-f-]{36}$/);
  });
});
