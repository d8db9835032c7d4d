import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Flag } from "../../../src/command-line/command.ts";
import { createProgram } from "../../../src/server/program.ts";
import { type Finished, NEXUS_SERVER, runProgram } from "../../support/programs.ts";
import { refuseWords, testWrongFlags } from "../../support/wrong-flags.ts";

const SERVER = createProgram();
const VERBS = Object.keys(SERVER.verbs);

await testWrongFlags(SERVER);

const giveFlag = ({ long, value }: Flag): readonly string[] => [`--${long}`, ...(value === undefined ? [] : ["1"])];

describe("every flag of every verb of nexus-server", () => {
  const settings = SERVER.flags.filter(({ long }) => long !== "help");

  test.each(VERBS)("%s: a setting before the verb is told where the verb goes", async (verb) => {
    for (const flag of settings)
      expect(await refuseWords([...giveFlag(flag), verb], SERVER)).toBe(
        `the verb comes before the flags, as in: nexus-server ${verb} …`,
      );
  });

  test.each(VERBS)("%s: a flag of its own before the verb is none of nexus-server alone", async (name) => {
    const verb = (await SERVER.verbs[name]?.())?.verb;
    for (const flag of verb?.flags ?? [])
      expect(await refuseWords([...giveFlag(flag), name], SERVER)).toStartWith(
        `--${flag.long} is not a flag of nexus-server; `,
      );
  });

  test.each(VERBS)("%s: a value that a setting can't have is told with what it must be", async (verb) => {
    for (const [name, value, rule] of [
      ["port", "http", "be a whole number from 0 to 65535"],
      ["port", "70000", "be a whole number from 0 to 65535"],
      ["port", "-1", "be a whole number from 0 to 65535"],
      ["host", " ", "be a text that is not empty"],
      ["server-dir", "\t", "be a text that is not empty"],
      ["mock-gpus", "many", "be auto, true, false or a whole number from 0 to 64, or kinds such as 2x24G,1xMIG"],
      ["mock-gpus", "65", "be auto, true, false or a whole number from 0 to 64, or kinds such as 2x24G,1xMIG"],
      ["mock-gpus", "-1", "be auto, true, false or a whole number from 0 to 64, or kinds such as 2x24G,1xMIG"],
    ] as const)
      expect(await refuseWords([verb, `--${name}`, value], SERVER)).toBe(
        `--${name} must ${rule}, not "${value.replace("\t", "\\t")}"`,
      );
  });
});

describe("nexus-server refuses in one line and does nothing", () => {
  let home: string;

  beforeAll(() => {
    home = mkdtempSync(join(tmpdir(), "nexus-usage-"));
  });

  afterAll(() => rmSync(home, { recursive: true, force: true }));

  const run = (words: readonly string[]): Promise<Finished> =>
    runProgram([NEXUS_SERVER, ...words], {
      env: { PATH: process.env["PATH"], HOME: home, NS_SERVER_DIR: join(home, "server"), NS_PORT: "0" },
      cwd: home,
    });

  test.each([
    [["--port", "http"], "--port must be a whole number from 0 to 65535, not"],
    [
      ["--mock-gpus", "many"],
      "--mock-gpus must be auto, true, false or a whole number from 0 to 64, or kinds such as 2x24G,1xMIG, not",
    ],
    [["--port", "0", "statuz"], '"statuz" is not a verb of nexus-server; did you mean status?'],
    [["logs", "-n", "x"], "--lines takes a whole number from"],
    [["logs", "-n", "-1"], "--lines takes a whole number from"],
    [["logs", "-n", "1.5"], "--lines takes a whole number from"],
    [["logs", "-n", ""], "--lines needs a value"],
    [["logs", "-fn"], "--lines needs a value"],
    [["token"], "can't be shown"],
    [["token", "ad"], '"ad" is nothing that nexus-server token knows; did you mean add?'],
    [["token", "add"], "whose token?"],
    [["token", "revoke"], "whose token?"],
    [["token", "add", "ann", "--role", "boss"], '"boss" is no role'],
    [["token", "add", "ann", "--expires", "soon"], '"soon" is no time to expire'],
    [["token", "list", "ann\nbob"], 'does not take "ann\\nbob"'],
    [["token", "x\ny"], '"x\\ny" is nothing that nexus-server token knows'],
    [["token", "--rotate", "ann"], "--rotate stands alone, without ann"],
    [["restore", "a", "b"], 'does not take "b"; its usage is: nexus-server restore [FILE]'],
    [["uninstall", "--keep-confg"], "did you mean --keep-config?"],
    [["install", "--port", "1"], "--port is not for the service"],
    [["upgrade", "--host", "::"], "--host is not for the service"],
    [["uninstall", "-y", "--server-dir", "other"], "--server-dir is not for the service"],
    [["install", "--config", "/nowhere"], "--config: /nowhere can't be read"],
    [["help", "statuz"], "did you mean status?"],
    [["help", "status", "logs"], 'nexus-server help takes one verb, not "logs" too'],
    [["attach-session", "k3f9ab"], 'does not take "k3f9ab"'],
  ])("%j", async (words, message) => {
    const finished = await run(words);
    expect([finished.exitCode, finished.stdout]).toEqual([2, ""]);
    expect(finished.stderr).toMatch(/^nexus-server: [^\n]+\n$/);
    expect(finished.stderr).toContain(message);
    expect(existsSync(join(home, "server"))).toBe(false);
  });
});
