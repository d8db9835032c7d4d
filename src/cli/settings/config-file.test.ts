import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readConfig, readListOption, readOption } from "./config-file.ts";

const startHome = process.env["HOME"];

let home: string;

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "nexus-config-"));
  mkdirSync(join(home, ".nexus"));
  process.env["HOME"] = home;
});

afterEach(() => {
  if (startHome === undefined) delete process.env["HOME"];
  else process.env["HOME"] = startHome;
  delete process.env["NEXUS_DEFAULT_NOTIFICATIONS"];
  rmSync(home, { recursive: true, force: true });
});

const write = (text: string): void => writeFileSync(join(home, ".nexus", "config.toml"), text);

test("without a file there is nothing to read", async () => {
  expect(await readConfig()).toEqual({ ok: true, value: {} });
});

test.each([
  ['user = "ada"\nport = \n', 2],
  ['user = "ada\n', 1],
  ["[targets.lab]\n\n\nhost == 1\n", 4],
  ["a = 1\na = 2\n", 2],
])("a broken file is told by its path, line and problem: %j", async (text, line) => {
  write(text);
  const config = await readConfig();
  if (config.ok) throw new Error("it was read");
  expect(config.error.exitCode).toBe(1);
  expect(config.error.message).toStartWith(`${join(home, ".nexus", "config.toml")}, line ${line}: `);
  expect(config.error.message).toMatch(/: \S[^\n]+$/);
});

test.each([
  ["user = 3\n", "line 1: user is a text in quotes"],
  ['# mine\n"default_target" = true\n', "line 2: default_target is a text in quotes"],
  ['user = "ada"\nautostart = "maybe"\n', "line 2: autostart is true or false"],
  ['default_integrations = "wandb"\n', "line 1: default_integrations is a list of: wandb"],
  ['default_notifications = ["pigeon"]\n', "line 1: default_notifications is a list of: discord"],
])("a value that a key can't have is wrong usage, told by its line: %j", async (text, problem) => {
  write(text);
  const config = await readConfig();
  if (config.ok) throw new Error("it was read");
  expect(config.error.exitCode).toBe(2);
  expect(config.error.message).toStartWith(`${join(home, ".nexus", "config.toml")}, ${problem}`);
});

test("unknown keys are the user's own affair", async () => {
  write("colour = 3\n");
  expect(await readConfig()).toEqual({ ok: true, value: { colour: 3 } });
});

test("a folder in the file's place is told in one line", async () => {
  mkdirSync(join(home, ".nexus", "config.toml"));
  const config = await readConfig();
  expect(!config.ok && config.error.message.split("\n")).toHaveLength(1);
});

test("a variable wins over the file, and a list may be written with commas", async () => {
  write('default_notifications = ["discord"]\nuser = "ada"\n');
  const config = await readConfig();
  if (!config.ok) throw new Error(config.error.message);
  expect(readListOption(config.value, "default_notifications")).toEqual(["discord"]);
  expect(readOption(config.value, "user")).toBe("ada");
  process.env["NEXUS_DEFAULT_NOTIFICATIONS"] = "phone, discord,";
  expect(readListOption(config.value, "default_notifications")).toEqual(["phone", "discord"]);
  expect(readListOption(config.value, "default_integrations")).toEqual([]);
});
