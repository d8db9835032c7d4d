import { expect, onTestFinished, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readSettingsFile } from "./settings-file.ts";

const makePath = (): string => {
  const folder = mkdtempSync(join(tmpdir(), "nexus-settings-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return join(folder, "config.toml");
};

const write = (text: string): string => {
  const path = makePath();
  writeFileSync(path, text);
  return path;
};

test("a file that is not there, or empty, or only remarks, holds no settings", () => {
  expect(readSettingsFile(makePath())).toEqual({ ok: true, value: {} });
  expect(readSettingsFile(write(""))).toEqual({ ok: true, value: {} });
  expect(readSettingsFile(write("# port = 1\n"))).toEqual({ ok: true, value: {} });
});

test("values are read with their types", () => {
  const path = write('port = 8080\nrefresh_rate = 0.5\nmock_gpus = true\nhost = "::1"\nallowed_hosts = ["a", "b"]\n');
  expect(readSettingsFile(path)).toEqual({
    ok: true,
    value: { port: 8080, refresh_rate: 0.5, mock_gpus: true, host: "::1", allowed_hosts: ["a", "b"] },
  });
});

test("a mistake is told in one line, with the file and the line", () => {
  const path = write('host = "a"\nport = = 1\n');
  const read = readSettingsFile(path);
  const message = read.ok ? "" : read.error.message;
  expect(message).toStartWith(`${path}, line 2: `);
  expect(message).not.toContain("\n");
});

test("what is no file, or no text, is told with its path", () => {
  const folder = makePath();
  mkdirSync(folder);
  const read = readSettingsFile(folder);
  expect(read.ok ? "" : read.error.message).toStartWith(`${folder} can't be read: `);
});
