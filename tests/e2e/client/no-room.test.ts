import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pickPort } from "../../support/pick-port.ts";
import { createUserEnvironment } from "../../support/piped-nx.ts";
import { type Finished, ROOT, runProgram } from "../../support/programs.ts";
import { canMount, createSmallDisk, type SmallDisk } from "../../support/small-disk.ts";

const WORDS = ["env set A=b", "env edit", "jobrc edit", "config edit", "status", "run -c --no-git true"];
const LINES = [...WORDS.map((words) => `nx ${words}`), "nexus-server"];

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "nexus-no-room-"));
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

const callIn = async (home: string, line: string): Promise<Finished> => {
  const [program = "", ...words] = line.split(" ");
  const more = { EDITOR: "true", NEXUS_AUTOSTART: "true", NS_PORT: String(await pickPort()) };
  return runProgram([join(ROOT, program), ...words], { env: { ...createUserEnvironment(home), ...more }, cwd: folder });
};

const expectOneLine = ({ exitCode, stdout, stderr }: Finished, told: RegExp): void => {
  const lines = stderr.split("\n").filter((line) => line !== "" && !line.startsWith("No server on this machine yet"));
  expect([exitCode, stdout, lines]).toEqual([1, "", [expect.stringMatching(told)]]);
};

test.each(LINES)("%s in a HOME that can't be written says so, and what to do, in one line", async (line) => {
  const home = join(folder, "file");
  writeFileSync(home, "");
  expectOneLine(
    await callIn(home, line),
    /\/file\/\S+ can't be (used \(ENOTDIR.*\): make it yours, or set HOME to|made: ENOTDIR.*; name a folder of yours) /,
  );
});

describe.skipIf(!canMount)("in a HOME whose disk is full", () => {
  let disk: SmallDisk;

  beforeEach(() => {
    disk = createSmallDisk(1);
    mkdirSync(join(disk.path, ".nexus"));
    disk.fill();
  });

  afterEach(() => disk.dispose());

  test.each(LINES)("%s says so, and what to do, in one line", async (line) => {
    expectOneLine(await callIn(disk.path, line), /full[:;] make room|make room if the disk of HOME is full/);
  });
});
