import { expect, onTestFinished, test } from "bun:test";
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createSecretBox, loadSecretBox } from "./secret-box.ts";

const makeKeyPath = (): string => {
  const folder = mkdtempSync(join(tmpdir(), "nexus-key-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return join(folder, "secret.key");
};

const load = (path: string) => {
  const box = loadSecretBox(path);
  if (!box.ok) throw new Error(box.error.message);
  return box.value;
};

const KEY = new Uint8Array(32).fill(7);

test.each(["", "plain", "grün 🌱 \n\t\"'$`", "x".repeat(1_000_000)])("what was sealed opens again", (text) => {
  const box = createSecretBox(KEY);
  expect(box.open(box.seal(text))).toBe(text);
});

test("the same text is never sealed to the same bytes, nor shown by them", () => {
  const box = createSecretBox(KEY);
  const sealed = Array.from({ length: 100 }, () => Buffer.from(box.seal("hunter2 hunter2")).toString("latin1"));
  expect(new Set(sealed).size).toBe(100);
  expect(sealed.some((text) => text.includes("hunter2"))).toBe(false);
});

test("a changed, shortened or foreign text does not open", () => {
  const box = createSecretBox(KEY);
  const sealed = Buffer.from(box.seal("hunter2"));
  for (const position of sealed.keys()) {
    const changed = Buffer.from(sealed);
    changed[position] = (changed[position] ?? 0) ^ 1;
    expect(() => box.open(changed)).toThrow();
  }
  expect(() => box.open(sealed.subarray(0, -1))).toThrow();
  expect(() => box.open(sealed.subarray(0, 20))).toThrow();
  expect(() => createSecretBox(new Uint8Array(32).fill(8)).open(sealed)).toThrow();
});

test("the key is made once, for its owner only, and leaves no other file", () => {
  const path = makeKeyPath();
  const sealed = load(path).seal("hunter2");
  const key = readFileSync(path);
  expect(key.length).toBe(32);
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(readdirSync(join(path, ".."))).toEqual(["secret.key"]);
  expect(load(path).open(sealed)).toBe("hunter2");
  expect(readFileSync(path)).toEqual(key);
});

test("a half-made key of a server that died is made anew", () => {
  const path = makeKeyPath();
  writeFileSync(`${path}.tmp`, "half", { mode: 0o644 });
  load(path);
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(readFileSync(path).length).toBe(32);
});

test("a key that others can read is closed to them", () => {
  const path = makeKeyPath();
  load(path);
  chmodSync(path, 0o644);
  load(path);
  expect(statSync(path).mode & 0o777).toBe(0o600);
});

test.each([0, 31, 33])("a key of %d bytes is refused in one line that names it, and kept", (length) => {
  const path = makeKeyPath();
  writeFileSync(path, new Uint8Array(length));
  const box = loadSecretBox(path);
  expect(box).toEqual({
    ok: false,
    error: { message: `${path} is not a key of 32 bytes: restore it from your backup` },
  });
  expect(statSync(path).size).toBe(length);
});

test("a folder that is not there is told, not thrown", () => {
  const path = join(makeKeyPath(), "none", "secret.key");
  const box = loadSecretBox(path);
  expect(box.ok ? "" : box.error.message).toStartWith(`${path} can't be used: `);
});
