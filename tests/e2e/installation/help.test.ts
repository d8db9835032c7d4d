import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { VERSION } from "../../../src/base/version.ts";
import { type Finished, NEXUS_SERVER, runProgram } from "../../support/programs.ts";

let home: string;

beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), "nexus-help-"));
});

afterAll(() => rmSync(home, { recursive: true, force: true }));

const run = (words: readonly string[]): Promise<Finished> =>
  runProgram([NEXUS_SERVER, ...words], { env: { PATH: process.env["PATH"], HOME: home }, cwd: home });

const show = async (words: readonly string[]): Promise<string> => {
  const { exitCode, stdout, stderr } = await run(words);
  expect([exitCode, stderr]).toEqual([0, ""]);
  return stdout;
};

test.each([["version"], ["--version"], ["--port 0 --version"]])("nexus-server %s says which it is", async (line) => {
  expect(await show(line.split(" "))).toBe(`${VERSION}\n`);
});

test.each([["help"], ["--help"], ["-h"], ["--mock-gpus --help"]])("nexus-server %s shows all verbs", async (line) => {
  expect(await show(line.split(" "))).toStartWith("nexus-server: run the jobs of this machine\n\nnexus-server [verb]");
});

test.each([["help token"], ["token --help"], ["token add -h"], ["--help token"]])(
  "nexus-server %s tells all about the verb",
  async (line) => {
    const help = await show(line.split(" "));
    expect(help).toStartWith("nexus-server token ");
    expect(help).toContain("  sudo nexus-server token add eve --role viewer --expires 30d\n");
  },
);
