import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { type Finished, NEXUS_SERVER, runProgram } from "../../support/programs.ts";
import { createWorld, type World } from "../../support/world.ts";

let world: World;

beforeEach(async () => {
  world = await createWorld();
});

afterEach(() => world.dispose());

const startWith = (settings: Readonly<Record<string, string>>, flags: readonly string[] = []): Promise<Finished> =>
  runProgram([NEXUS_SERVER, ...flags], { env: { ...world.env, ...settings }, cwd: world.home });

const expectRefusal = (refused: Finished, exitCode: number, ...words: readonly string[]): void => {
  expect([refused.exitCode, refused.stdout]).toEqual([exitCode, ""]);
  expect(refused.stderr.trimEnd().split("\n")).toHaveLength(1);
  for (const word of words) expect(refused.stderr).toContain(word);
};

describe("a server with a mistaken setting does not start, and says what is wrong", () => {
  test.each([
    ["NS_PORT", "http", "port", "65535"],
    ["NS_PORT", "70000", "port", "65535"],
    ["NS_REFRESH_RATE", "0", "refresh_rate", "0.05"],
    ["NS_MOCK_GPUS", "many", "mock_gpus", "64"],
    ["NS_MAX_CPU_JOBS", "-1", "max_cpu_jobs", "10000"],
    ["NS_LOG_LEVEL", "loud", "log_level", "debug, info, warn, error"],
    ["NS_EXECUTOR", "docker", "executor", "screen"],
    ["NS_HOST", "", "host", "not empty"],
  ])("%s=%s", async (variable, value, name, allowed) => {
    expectRefusal(await startWith({ [variable]: value }), 1, name, `"${value}"`, allowed);
    expect(existsSync(join(world.folder, "server"))).toBe(false);
  });

  test("in its file", async () => {
    const folder = join(world.folder, "other");
    mkdirSync(folder);
    writeFileSync(join(folder, "config.toml"), "prot = 1\n");
    expectRefusal(await startWith({ NS_SERVER_DIR: folder }), 1, "prot");
    writeFileSync(join(folder, "config.toml"), "\nport = \n");
    expectRefusal(await startWith({ NS_SERVER_DIR: folder }), 1, "config.toml", "2");
  });

  test("a folder that can't be made, a port that is taken, a flag that does not exist", async () => {
    const file = join(world.folder, "file");
    writeFileSync(file, "");
    expectRefusal(await startWith({ NS_SERVER_DIR: join(file, "server") }), 1, file);
    const { promise, resolve } = Promise.withResolvers<void>();
    const taken = createServer().listen(Number(world.env["NS_PORT"]), "127.0.0.1", resolve);
    await promise;
    const refused = await startWith({});
    taken.close();
    expectRefusal(refused, 1, world.env["NS_PORT"] ?? "");
    expectRefusal(await startWith({}, ["--prot", "1"]), 2, "--prot", "--port?");
  });
});

test.each([
  [["--port"], "--port needs a value, as in: --port N"],
  [
    ["--mock-gpus", "-1"],
    '--mock-gpus must be auto, true, false or a whole number from 0 to 64, or kinds such as 2x24G,1xMIG, not "-1"',
  ],
  [["--mock-gpus", "2", "status"], "the verb comes before the flags, as in: nexus-server status …"],
  [["status", "now"], 'nexus-server status does not take "now"; its usage is: nexus-server status'],
  [["logs", "-n"], "--lines needs a value, as in: --lines N"],
  [["logs", "-n", "x"], '--lines takes a whole number from 0 to 10000000, not "x"'],
  [["statuz"], '"statuz" is not a verb of nexus-server; did you mean status?'],
])("nexus-server %j is one line and exit 2", async (words, message) => {
  const refused = await startWith({}, words);
  expect([refused.exitCode, refused.stdout, refused.stderr]).toEqual([2, "", `nexus-server: ${message}\n`]);
});

test("--mock-gpus needs no number", async () => {
  const shown = await startWith({ NS_MOCK_GPUS: "7" }, ["config", "--mock-gpus"]);
  expect([shown.exitCode, shown.stdout]).toEqual([0, expect.stringContaining("mock_gpus = 2\n")]);
});

test("nexus-server config --edit opens no editor of its own choice without a terminal", async () => {
  const { VISUAL: _visual, EDITOR: _editor, ...env } = world.env;
  const refused = await runProgram([NEXUS_SERVER, "config", "--edit"], { env, cwd: world.home });
  expectRefusal(refused, 1, "an editor needs a terminal");
});

test("nexus-server config --edit takes what is right whole and for its owner only, and leaves the file as it was otherwise", async () => {
  const folder = join(world.folder, "other");
  const path = join(folder, "config.toml");
  const editor = join(world.folder, "editor");
  writeFileSync(editor, '#!/bin/sh\necho "$NEW" > "$1.saved" && chmod 644 "$1.saved" && mv "$1.saved" "$1"\n', {
    mode: 0o755,
  });
  const write = (text: string): Promise<Finished> =>
    startWith({ NS_SERVER_DIR: folder, EDITOR: editor, NEW: text }, ["config", "--edit"]);
  expect(await write("max_cpu_jobs = 3")).toMatchObject({ exitCode: 0, stderr: "" });
  expect([readFileSync(path, "utf8"), statSync(path).mode & 0o777]).toEqual(["max_cpu_jobs = 3\n", 0o600]);
  expectRefusal(await write("max_cpu_jobs = many"), 1, "config.toml", "nothing was changed");
  expect(await write("max_cpu_jobs = 4")).toMatchObject({ exitCode: 0 });
  expect([readFileSync(path, "utf8"), readdirSync(folder)]).toEqual(["max_cpu_jobs = 4\n", ["config.toml"]]);
});

test("nexus-server config shows every setting and no secret", async () => {
  const folder = join(world.folder, "other");
  mkdirSync(folder);
  writeFileSync(
    join(folder, "config.toml"),
    [
      'api_token = "hush-1"\nssl_keyfile = "/etc/tls.key"\nnullpointer_url = "https://ada:hush-2@box/files"',
      '[notify.team]\ntype = "slack"\nurl = "https://hooks.slack.com/services/hush-3"',
      '[notify.hook]\ntype = "webhook"\nurl = "https://example.org/x?hush-4"\nsecret = "hush-5"',
      '[notify.mail]\ntype = "email"\nurl = "smtp://ada:hush-6@mail.box:25"\nfrom = "a@box"\nto = "b@box"\n',
    ].join("\n"),
  );
  const shown = await startWith({ NS_SERVER_DIR: folder }, ["config"]);
  expect([shown.exitCode, shown.stdout]).toEqual([0, expect.not.stringContaining("hush")]);
  for (const line of [
    'api_token = "********"\n',
    'ssl_keyfile = "/etc/tls.key"\n',
    'nullpointer_url = "https://ada:********@box/files"\n',
    '"url":"https://hooks.slack.com/********","secret":null',
    '"url":"https://example.org/********","secret":"********"',
    '"url":"smtp://ada:********@mail.box:25"',
    "retention_days = 30\n",
  ])
    expect(shown.stdout).toContain(line);
});
