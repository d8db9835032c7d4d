import { afterEach, beforeEach, expect, test } from "bun:test";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type CertificateFiles, makeCertificate } from "../../../tests/support/certificate.ts";
import { createUserEnvironment } from "../../../tests/support/piped-nx.ts";
import { type Finished, NX, runProgram } from "../../../tests/support/programs.ts";
import { makeKey } from "../../../tests/support/ssh-server.ts";
import { readSshFingerprint } from "../../../tests/support/sshd.ts";
import { startTlsServer } from "../../../tests/support/tls-server.ts";
import { openTmux } from "../../../tests/support/tmux-terminal.ts";
import { createWorld, type World } from "../../../tests/support/world.ts";

const TOKEN = "correct-horse";

let world: World;
let certificate: CertificateFiles;
let cleanUps: (() => unknown)[];
let url: string;

beforeEach(async () => {
  world = await createWorld();
  cleanUps = [() => world.dispose()];
  certificate = makeCertificate(world.folder, "gpu-box");
  const server = await startTlsServer(world, certificate, { NS_API_TOKEN: TOKEN });
  cleanUps.push(server.stop);
  url = server.url;
});

afterEach(async () => {
  for (const cleanUp of cleanUps.toReversed()) await cleanUp();
});

const makeUsualKey = (name = "id_ed25519"): string => {
  const folder = join(world.home, ".ssh");
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  return makeKey(join(folder, name));
};

const registered = (): string => {
  const path = join(world.home, ".ssh", "authorized_keys");
  return existsSync(path) ? readFileSync(path, "utf8") : "";
};

const hasTarget = (): boolean => existsSync(join(world.home, ".nexus", "config.toml"));

const addLab = (...words: readonly string[]): Promise<Finished> => {
  const env = { ...createUserEnvironment(world.home), NEXUS_API_TOKEN: TOKEN };
  const add = ["target", "add", "lab", url, "--fingerprint", certificate.fingerprint];
  return runProgram([NX, ...add, ...words], { env, cwd: world.home });
};

test("nx target add registers the key that is named by its public or its private file, and says how to use it", async () => {
  const key = makeUsualKey();
  const added = await addLab("--ssh-key", key);
  expect([added.exitCode, added.stdout]).toEqual([0, expect.stringMatching(/^Target lab is added: /)]);
  expect(added.stderr).toMatch(/Your SSH key SHA256:\S+ is registered: ssh -t \S+@127\.0\.0\.1 attach JOB_ID\n/);
  expect(added.stderr).toContain(readSshFingerprint(key));
  expect(registered()).toMatch(
    /^restrict,pty,command="[^"]+ attach-session --server-dir [^"]+" ssh-ed25519 \S+ id_ed25519@laptop\n$/,
  );
});

test("without the flag no key is registered where nobody can be asked, and none with -y", async () => {
  makeUsualKey();
  const added = await addLab();
  expect([added.exitCode, added.stderr, registered()]).toEqual([0, expect.not.stringContaining("SSH"), ""]);
});

test("a key that can't be read or is none is wrong usage, before anything is done", async () => {
  const path = join(world.home, "words.pub");
  writeFileSync(path, "hello\n");
  for (const [name, message] of [
    [join(world.home, "missing"), /the SSH key can't be read: /],
    [path, /is no public SSH key/],
  ] as const) {
    const refused = await addLab("--ssh-key", name);
    expect([refused.exitCode, refused.stdout, refused.stderr]).toEqual([2, "", expect.stringMatching(message)]);
  }
  expect(hasTarget()).toBe(false);
});

test("a key that the server refuses leaves the target, and is told", async () => {
  const path = join(world.home, "broken.pub");
  writeFileSync(path, "ssh-ed25519 AAAA ada@laptop\n");
  const refused = await addLab("--ssh-key", path);
  expect([refused.exitCode, refused.stderr]).toEqual([1, expect.stringMatching(/lab is added, but .* not a whole/)]);
  expect(hasTarget()).toBe(true);
});

test("on a terminal the usual key is offered, and only yes registers it", async () => {
  const key = makeUsualKey();
  const env = { ...createUserEnvironment(world.home), NEXUS_API_TOKEN: TOKEN };
  const terminal = await openTmux({ env, cwd: world.home });
  cleanUps.push(terminal.close);
  for (const [name, answer] of [
    ["one", ""],
    ["two", "y"],
  ] as const) {
    terminal.type(`clear; ${NX} target add ${name} ${url} --fingerprint ${certificate.fingerprint}; echo "${name} $?"`);
    terminal.press("Enter");
    await terminal.waitFor("alone? [y/N]");
    expect(registered()).toBe("");
    terminal.type(answer);
    terminal.press("Enter");
    await terminal.waitFor(`${name} 0`);
  }
  expect(registered()).toContain(readFileSync(`${key}.pub`, "utf8").trim());
});
