import { afterEach, beforeEach, expect, test } from "bun:test";
import { X509Certificate } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createCertificate } from "../../../src/server/external/certificate/tls-certificate.ts";
import { makeCertificate } from "../../support/certificate.ts";
import { createPipedNx } from "../../support/piped-nx.ts";
import { startTlsServer } from "../../support/tls-server.ts";
import { waitUntil } from "../../support/wait.ts";
import { createWorld, type World } from "../../support/world.ts";

const TOKEN = "correct-horse";
const DAY_MS = 86_400_000;

let world: World;
let cleanUps: (() => unknown)[];
let url: string;

const nx = createPipedNx(() => world.home);
const files = () => ({ key: join(world.folder, "tls.key"), cert: join(world.folder, "tls.crt") });
const readFingerprint = (): string => new X509Certificate(readFileSync(files().cert)).fingerprint256;
const readSettings = (): string => readFileSync(join(world.home, ".nexus", "config.toml"), "utf8");

const makeOwn = async (daysLeft: number, key: string | null): Promise<void> => {
  const madeAt = new Date();
  madeAt.setFullYear(madeAt.getFullYear() - 10);
  const made = await createCertificate(["lab"], new Date(madeAt.getTime() + daysLeft * DAY_MS), key);
  writeFileSync(files().key, made.key, { mode: 0o600 });
  writeFileSync(files().cert, made.certificate);
};

beforeEach(async () => {
  world = await createWorld();
  cleanUps = [() => world.dispose()];
  await makeOwn(40, null);
  const server = await startTlsServer(world, files(), { NS_API_TOKEN: TOKEN, NS_REFRESH_RATE: "0.05" });
  cleanUps.push(server.stop);
  url = server.url;
  const added = await nx(["target", "add", "lab", url, "--fingerprint", readFingerprint(), "--token-stdin"], TOKEN);
  expect(added.exitCode).toBe(0);
});

afterEach(async () => {
  for (const cleanUp of cleanUps.toReversed()) await cleanUp();
});

const waitUntilRefused = async (): Promise<string> => {
  let told = "";
  await waitUntil(async () => {
    const queue = await nx(["queue", "-t", "lab"]);
    told = queue.stderr;
    return queue.exitCode === 1 && told.includes(`presented: ${readFingerprint()}`);
  }, "the new certificate is refused");
  return told;
};

test("a certificate that the server renewed is refused with both fingerprints, and accepted by the command that is named", async () => {
  const before = readFingerprint();
  await makeOwn(5, readFileSync(files().key, "utf8"));
  const told = await waitUntilRefused();
  expect(told).toContain(`pinned:    ${before}\n`);
  expect(told).toContain("Its key is the one of before");
  const [, command = ""] = /^ {2}nx (target add .*)$/m.exec(told) ?? [];
  const settings = readSettings();
  writeFileSync(
    join(world.home, ".nexus", "config.toml"),
    settings.replace("[targets.lab]\n", "[targets.lab]\nmine = 1\n"),
  );
  const accepted = await nx(command.split(" "));
  expect([accepted.exitCode, accepted.stdout]).toEqual([0, expect.stringMatching(/^Target lab is added: /)]);
  expect((await nx(["queue", "-t", "lab", "--json"])).stdout).toBe("[]\n");
  expect(readSettings()).toContain(`api_token = "${TOKEN}"`);
  expect(readSettings()).toContain("mine = 1\n");
});

test("a certificate with another key is told as such", async () => {
  const other = makeCertificate(world.folder, "thief");
  writeFileSync(files().key, readFileSync(other.key));
  writeFileSync(files().cert, readFileSync(other.cert));
  expect(await waitUntilRefused()).toContain("Its key is another one.");
});

test("a target is not moved to another address by adding it again", async () => {
  const moved = await nx(["target", "add", "lab", "https://gpu-box.example", "-y"]);
  expect([moved.exitCode, moved.stderr]).toEqual([
    6,
    expect.stringContaining(`"lab" is ${url} already; take it out first: nx target remove lab`),
  ]);
});
