import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { SshKey } from "../../core/access/ssh-key.ts";
import { createAuthorizedKeys } from "./authorized-keys.ts";

const ROUNDS = 20;

let home: string;

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "nexus-keys-"));
});

afterEach(() => rmSync(home, { recursive: true, force: true }));

const folder = (): string => join(home, ".ssh");
const path = (): string => join(folder(), "authorized_keys");
const modeOf = (name: string): number => lstatSync(name).mode & 0o777;

const createKey = (number: number): SshKey => ({ type: "ssh-ed25519", blob: `KEY${number}`, comment: `c${number}` });

const register = (key: SshKey, owner: string | null = null) =>
  createAuthorizedKeys({ home, program: ["/bin/attach"] }).register(key, owner);

const refusal = async (): Promise<string> => {
  const registered = await register(createKey(0));
  return registered.ok ? registered.value : registered.error.message;
};

describe("a key", () => {
  test("makes folder and file, which nobody else may read", async () => {
    expect(await register(createKey(1))).toEqual({ ok: true, value: "registered" });
    expect(readFileSync(path(), "utf8")).toBe('restrict,pty,command="/bin/attach" ssh-ed25519 KEY1 c1\n');
    expect([modeOf(folder()), modeOf(path())]).toEqual([0o700, 0o600]);
  });

  test("of one user may attach to the jobs of that name", async () => {
    await register(createKey(1), "ann o'hara");
    expect(readFileSync(path(), "utf8")).toStartWith(
      `restrict,pty,command="/bin/attach '--user=ann o'\\''hara'" ssh-ed25519 KEY1`,
    );
  });

  test("leaves every other byte as it was, and closes what was open to others", async () => {
    const before = Buffer.from([...Buffer.from("# mine\r\n\tssh-rsa AAAA \xff\n\n"), 0xff, 0x00, 0x41]);
    mkdirSync(folder(), { mode: 0o755 });
    writeFileSync(path(), before, { mode: 0o664 });
    chmodSync(path(), 0o664);
    expect(await register(createKey(1))).toEqual({ ok: true, value: "registered" });
    const after = readFileSync(path());
    expect(after.subarray(0, before.length).equals(before)).toBe(true);
    expect(after.subarray(before.length).toString()).toBe('\nrestrict,pty,command="/bin/attach" ssh-ed25519 KEY1 c1\n');
    expect([modeOf(folder()), modeOf(path())]).toEqual([0o700, 0o600]);
  });

  test("that is there already, also for more than attaching, is not written again", async () => {
    mkdirSync(folder());
    writeFileSync(path(), "ssh-ed25519 KEY1 ada\n", { mode: 0o644 });
    expect(await register(createKey(1))).toEqual({ ok: true, value: "exists" });
    expect(readFileSync(path(), "utf8")).toBe("ssh-ed25519 KEY1 ada\n");
    expect(modeOf(path())).toBe(0o600);
  });

  test("is not written through a link, nor where there is no file, and it is said why", async () => {
    const elsewhere = join(home, "elsewhere");
    mkdirSync(folder());
    writeFileSync(elsewhere, "");
    symlinkSync(elsewhere, path());
    expect(await refusal()).toBe(`${path()} is a link: keys are not written through one`);
    rmSync(path());
    mkdirSync(path());
    expect(await refusal()).toBe(`${path()} is no file`);
    rmSync(folder(), { recursive: true });
    symlinkSync(home, folder());
    expect(await refusal()).toBe(`${folder()} is a link: keys are not written through one`);
    rmSync(folder());
    writeFileSync(folder(), "");
    expect(await refusal()).toMatch(/can't be written|is no folder/);
    expect(readFileSync(elsewhere, "utf8")).toBe("");
  });

  test("is in the file once, though two servers register many at the same time", async () => {
    const script = `
      import { createAuthorizedKeys } from ${JSON.stringify(join(import.meta.dirname, "authorized-keys.ts"))};
      const keys = createAuthorizedKeys({ home: ${JSON.stringify(home)}, program: ["/bin/attach"] });
      const all = Array.from({ length: ${ROUNDS} }, (_, n) => ({ type: "ssh-ed25519", blob: "KEY" + n, comment: "" }));
      const done = await Promise.all(all.map((key) => keys.register(key, null)));
      console.log(JSON.stringify(done.map((one) => one.ok ? one.value : one.error.message)));
    `;
    const servers = [0, 1].map(() => Bun.spawn([process.execPath, "-e", script], { stdout: "pipe" }));
    const answers = await Promise.all(
      servers.map(async ({ stdout }) => (await new Response(stdout).json()) as string[]),
    );
    const lines = readFileSync(path(), "utf8").trimEnd().split("\n");
    expect(new Set(lines).size).toBe(ROUNDS);
    expect(lines).toHaveLength(ROUNDS);
    expect(answers.flat().filter((answer) => answer === "registered")).toHaveLength(ROUNDS);
    expect(answers.flat().filter((answer) => answer === "exists")).toHaveLength(ROUNDS);
  });
});
