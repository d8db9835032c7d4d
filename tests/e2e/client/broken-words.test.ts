import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { NEXUS_SERVER, NX, runProgram } from "../../support/programs.ts";

const TOLD = '"caf\uFFFD" has bytes that are no UTF-8, and can\'t be taken as it is';

let home: string;

beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), "nexus-words-"));
});

afterAll(() => rmSync(home, { recursive: true, force: true }));

test.each([
  ["nx", NX, "run -d -c --no-git cat"],
  ["nx", NX, "pull abcdef -o"],
  ["nexus-server", NEXUS_SERVER, "restore"],
])("%s takes no word for another where one is no UTF-8: %s %s", async (name, program, words) => {
  const line = `exec "$1" ${words} $'caf\\xe9'`;
  const { exitCode, stdout, stderr } = await runProgram(["bash", "-c", line, "bash", program], {
    env: { PATH: process.env["PATH"], HOME: home },
    cwd: home,
  });
  expect([exitCode, stdout, stderr]).toEqual([2, "", `${name}: ${TOLD}\n`]);
});

test("a word with the sign for what is no text is taken as it is", async () => {
  const { stderr } = await runProgram([NX, "help", "\uFFFD"], {
    env: { PATH: process.env["PATH"], HOME: home },
    cwd: home,
  });
  expect(stderr).toContain('"\uFFFD" is not a verb of nx');
});
