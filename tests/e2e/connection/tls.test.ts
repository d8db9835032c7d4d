import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { copyFileSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { connect } from "node:tls";
import { createCertificate } from "../../../src/server/external/certificate/tls-certificate.ts";
import { type CertificateFiles, makeCertificate } from "../../support/certificate.ts";
import { runProgram, SERVER } from "../../support/programs.ts";
import { startTlsServer, type TlsServer } from "../../support/tls-server.ts";
import { waitUntil } from "../../support/wait.ts";
import { createWorld, type World } from "../../support/world.ts";

const DAY_MS = 86_400_000;
const YEAR_MS = 365.25 * DAY_MS;
const OPENSSL = "openssl";

let world: World;
let cleanUps: (() => unknown)[];

beforeEach(async () => {
  world = await createWorld();
  cleanUps = [() => world.dispose()];
});

afterEach(async () => {
  for (const cleanUp of cleanUps.toReversed()) await cleanUp();
});

const start = async (files: Pick<CertificateFiles, "key" | "cert">): Promise<TlsServer> => {
  const server = await startTlsServer(world, files, { NS_REFRESH_RATE: "0.05", NS_NODE_NAME: "atlas" });
  cleanUps.push(server.stop);
  return server;
};

const makeOwn = async (name: string, daysLeft: number): Promise<Pick<CertificateFiles, "key" | "cert">> => {
  const files = { key: join(world.folder, `${name}.key`), cert: join(world.folder, `${name}.crt`) };
  const madeAt = new Date();
  madeAt.setFullYear(madeAt.getFullYear() - 10);
  const made = await createCertificate([name], new Date(madeAt.getTime() + daysLeft * DAY_MS));
  writeFileSync(files.key, made.key, { mode: 0o600 });
  writeFileSync(files.cert, made.certificate);
  return files;
};

const readFingerprint = (path: string): string => new X509Certificate(readFileSync(path)).fingerprint256;

const fetchPresented = (url: string): Promise<X509Certificate | null> => {
  const { hostname, port } = new URL(url);
  const { promise, resolve } = Promise.withResolvers<X509Certificate | null>();
  const socket = connect({ host: hostname, port: Number(port), rejectUnauthorized: false }, () => {
    resolve(socket.getPeerX509Certificate() ?? null);
    socket.destroy();
  });
  socket.on("error", () => resolve(null));
  return promise;
};

const ask = async (url: string, path: string): Promise<string> =>
  (await fetch(`${url}${path}`, { tls: { rejectUnauthorized: false } })).text();

describe("the server's TLS", () => {
  test.each([
    ["-tls1", false],
    ["-tls1_1", false],
    ["-tls1_2", true],
    ["-tls1_3", true],
  ])("with a client that speaks %s only is a connection: %p", async (version, isTaken) => {
    const { url } = await start(makeCertificate(world.folder, "gpu-box"));
    const words = ["s_client", "-connect", new URL(url).host, version, "-cipher", "ALL:@SECLEVEL=0"];
    const { stdout, stderr, status } = spawnSync(OPENSSL, words, { input: "", encoding: "utf8" });
    expect([status === 0, /^New, TLSv1\.[23], Cipher is [A-Z]/m.test(stdout)]).toEqual([isTaken, isTaken]);
    expect(/alert protocol version/.test(stderr)).toBe(!isTaken);
  });

  test("tells the fingerprint at its start and the certificate's end in its figures", async () => {
    const made = makeCertificate(world.folder, "gpu-box");
    const server = await start(made);
    expect(server.output()).toContain(`"certificate":"${made.fingerprint}"`);
    const end = Date.parse(new X509Certificate(readFileSync(made.cert)).validTo) / 1000;
    expect(await ask(server.url, "/metrics")).toContain(`\nnexus_certificate_expiry_timestamp_seconds ${end}\n`);
  });
});

describe("a certificate that the server made and that has 5 days left", () => {
  test("is renewed at the start, for the names that clients use", async () => {
    const files = await makeOwn("lab", 5);
    const before = readFingerprint(files.cert);
    const server = await start(files);
    const presented = await fetchPresented(server.url);
    expect(presented?.fingerprint256).toBe(readFingerprint(files.cert));
    expect(presented?.fingerprint256).not.toBe(before);
    const names = presented?.subjectAltName?.split(", ");
    expect(names?.[0]).toBe("DNS:lab");
    expect(names).toEqual(expect.arrayContaining(["DNS:atlas", "DNS:localhost", "IP Address:127.0.0.1"]));
    expect(Math.round((Date.parse(presented?.validTo ?? "") - Date.now()) / YEAR_MS)).toBe(10);
    expect(server.output()).toContain("certificate renewed");
  });

  test("is renewed while the server runs, which goes on with its jobs", async () => {
    const files = makeCertificate(world.folder, "served");
    const server = await start(files);
    const body = JSON.stringify({ command: "sleep 300", user: "ada", num_gpus: 0 });
    const headers = { "content-type": "application/json" };
    const tls = { rejectUnauthorized: false };
    expect((await fetch(`${server.url}/v1/jobs`, { method: "POST", body, headers, tls })).status).toBe(201);
    const old = await makeOwn("lab", 5);
    const before = readFingerprint(old.cert);
    copyFileSync(old.key, files.key);
    copyFileSync(old.cert, files.cert);
    const isRenewed = async (): Promise<boolean> =>
      (await fetchPresented(server.url))?.subjectAltName?.startsWith("DNS:lab, ") === true;
    await waitUntil(
      async () => (await isRenewed()) && readFingerprint(files.cert) !== before,
      "a renewed one is presented",
    );
    await waitUntil(
      async () => (await fetchPresented(server.url))?.fingerprint256 === readFingerprint(files.cert),
      "it is the renewed one",
    );
    expect(await ask(server.url, "/v1/jobs?status=running")).toContain("sleep 300");
  });
});

describe("files that can't be served stop the start with one line", () => {
  test.each([
    [
      "a key of another certificate",
      (folder: string) => copyFileSync(makeCertificate(folder, "other").key, join(folder, "own.key")),
      /is not that of the certificate/,
    ],
    ["a file that is not there", () => undefined, /ssl_keyfile can't be read: ENOENT/],
    ["words", (folder: string) => writeFileSync(join(folder, "own.key"), "words"), /no private key/],
  ] as const)("%s", async (what, spoil, message) => {
    const files = makeCertificate(world.folder, "own");
    const key = what === "a file that is not there" ? join(world.folder, "none.key") : files.key;
    spoil(world.folder);
    const env = { ...world.env, NS_SSL_KEYFILE: key, NS_SSL_CERTFILE: files.cert };
    const refused = await runProgram(SERVER, { env, cwd: world.home });
    expect([refused.exitCode, refused.stdout, refused.stderr]).toEqual([1, "", expect.stringMatching(message)]);
    expect(refused.stderr.trimEnd().split("\n")).toHaveLength(1);
    expect(existsSync(join(world.folder, "server"))).toBe(false);
  });
});
