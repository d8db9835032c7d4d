import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { FailureDocument } from "../../../src/command-line/failure-document.ts";
import { SERVER_VERBS } from "../../../src/server/verb-table.ts";
import { type Finished, NEXUS_SERVER, runProgram } from "../../support/programs.ts";

const VERBS = Object.keys(SERVER_VERBS);
const FAILING: Readonly<Record<string, readonly string[]>> = { token: ["list"] };

let home: string;

beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), "nexus-server-json-failures-"));
});

afterAll(() => rmSync(home, { recursive: true, force: true }));

const run = (words: readonly string[], more: NodeJS.ProcessEnv = {}): Promise<Finished> =>
  runProgram([NEXUS_SERVER, ...words], {
    env: { PATH: process.env["PATH"], HOME: home, NS_SERVER_DIR: join(home, "server"), NS_PORT: "0", ...more },
    cwd: home,
  });

const readFailure = ({ stdout, stderr, exitCode }: Finished): FailureDocument => {
  const told = JSON.parse(stderr) as FailureDocument;
  expect([stdout, Object.keys(told)]).toEqual(["", ["error", "message", "hint", "exit_code"]]);
  expect(stderr).toBe(`${JSON.stringify(told)}\n`);
  expect(told.exit_code).toBe(exitCode ?? -1);
  return told;
};

describe("with --json a failure of nexus-server is one document on standard error", () => {
  test.each(VERBS)("%s with a flag that there is not", async (verb) => {
    const told = readFailure(await run([verb, "--no-such-flag", "--json"]));
    expect(told).toMatchObject({ error: "WRONG_USAGE", message: expect.stringContaining("--no-such-flag") });
  });

  test.each(Object.entries(FAILING))("%s that fails", async (verb, words) => {
    const told = readFailure(await run([verb, ...words, "--json"]));
    expect(told).toMatchObject({ error: "FAILED", message: expect.stringContaining("jobs.db"), exit_code: 1 });
  });

  test("and every verb that takes --json is among those that fail", async () => {
    const verbs = await Promise.all(Object.values(SERVER_VERBS).map(async (load) => (await load()).verb));
    const known = verbs.filter(({ flags }) => flags.some(({ long }) => long === "json")).map(({ name }) => name);
    expect(known).toEqual(Object.keys(FAILING));
  });

  test("also of a word that is no verb, of a setting, and of help", async () => {
    const misspelt = { error: "WRONG_USAGE", message: '"statuz" is not a verb of nexus-server', exit_code: 2 };
    for (const words of [
      ["statuz", "--json"],
      ["help", "statuz", "--json"],
    ])
      expect(readFailure(await run(words))).toEqual({ ...misspelt, hint: "did you mean status?" });
    expect(readFailure(await run(["token", "list", "--json"], { NS_PORT: "http" })).message).toStartWith("port = ");
  });

  test("also of a database that is damaged", async () => {
    mkdirSync(join(home, "broken"));
    writeFileSync(join(home, "broken", "jobs.db"), "no database at all, and longer than its header is. ".repeat(99));
    const told = readFailure(await run(["token", "list", "--json"], { NS_SERVER_DIR: join(home, "broken") }));
    expect(told).toMatchObject({ error: "FAILED", message: expect.stringContaining("nexus-server restore") });
  });
});
