import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { X509Certificate } from "node:crypto";
import {
  chmodSync,
  copyFileSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect } from "node:tls";
import { type CertificateFiles, makeCertificate } from "../../../../tests/support/certificate.ts";
import { waitUntil } from "../../../../tests/support/wait.ts";
import type { Log } from "../../core/telemetry/log.ts";
import { type HttpServer, startHttpServer } from "../http/http-server.ts";
import { choosePlaces, type Places } from "../http/places.ts";
import { type CertificateKeeper, openCertificate } from "./certificate-keeper.ts";
import { createCertificate } from "./tls-certificate.ts";
import { readPair } from "./tls-pair.ts";

const DAY_MS = 86_400_000;
const YEARS_DAYS = 3652;

let folder: string;
let now: number;
let lines: string[];
let cleanUps: (() => unknown)[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "nexus-tls-"));
  now = Date.now();
  lines = [];
  cleanUps = [];
});

afterEach(async () => {
  for (const cleanUp of cleanUps.toReversed()) await cleanUp();
  rmSync(folder, { recursive: true, force: true });
});

const note =
  (level: string): Log["info"] =>
  (event, fields) =>
    void lines.push(`${level} ${event} ${JSON.stringify(fields)}`);
const log: Log = { debug: note("debug"), info: note("info"), warn: note("warn"), error: note("error") };

const files = () => ({ key: join(folder, "tls.key"), certificate: join(folder, "tls.crt") });

const makeOwn = async (daysLeft: number, names = ["atlas", "10.0.0.7"]): Promise<void> => {
  const madeAt = new Date(now);
  madeAt.setFullYear(madeAt.getFullYear() - 10);
  const made = await createCertificate(names, new Date(madeAt.getTime() + daysLeft * DAY_MS));
  writeFileSync(files().key, made.key, { mode: 0o600 });
  writeFileSync(files().certificate, made.certificate, { mode: 0o644 });
};

const takeForeign = (name: string): CertificateFiles => {
  const made = makeCertificate(folder, name);
  copyFileSync(made.key, files().key);
  copyFileSync(made.cert, files().certificate);
  return made;
};

const open = async (): Promise<CertificateKeeper> => {
  const listNames = () => ["Atlas", "atlas.example.com", "::1", "0.0.0.0"];
  const opened = await openCertificate({ files: files(), listNames, clock: () => now / 1000, log });
  if (!opened.ok) throw new Error(opened.error.message);
  return opened.value;
};

const refusal = async (): Promise<string> => {
  const opened = await openCertificate({ files: files(), listNames: () => [], clock: () => now / 1000, log });
  return opened.ok ? "opened" : opened.error.message;
};

const readStored = (): X509Certificate => new X509Certificate(readFileSync(files().certificate));

describe("a certificate that a server made", () => {
  test("is renewed when 5 days are left: with the same key, the names of before and of now, for ten years", async () => {
    await makeOwn(5);
    const [before, key] = [readStored(), readFileSync(files().key, "utf8")];
    const { facts } = (await open()).pair();
    const after = readStored();
    expect(after.fingerprint256).toBe(facts.fingerprint);
    expect(after.fingerprint256).not.toBe(before.fingerprint256);
    expect(readFileSync(files().key, "utf8")).toBe(key);
    expect(after.publicKey.equals(before.publicKey)).toBe(true);
    expect(after.verify(after.publicKey)).toBe(true);
    expect(facts.names).toEqual(["atlas", "10.0.0.7", "atlas.example.com", "0:0:0:0:0:0:0:1"]);
    expect(Math.round((Date.parse(after.validTo) - now) / DAY_MS / YEARS_DAYS)).toBe(1);
    expect(statSync(files().certificate).mode & 0o777).toBe(0o644);
    expect(lines).toEqual([expect.stringMatching(/^warn certificate renewed /)]);
    expect(lines[0]).toContain(before.fingerprint256);
    expect(lines[0]).toContain(after.fingerprint256);
  });

  test("is left alone while more than 30 days are left, and renewed once these are over", async () => {
    await makeOwn(40);
    const keeper = await open();
    const before = keeper.pair().facts.fingerprint;
    expect([await keeper.look(), keeper.pair().facts.fingerprint, lines]).toEqual([false, before, []]);
    now += 11 * DAY_MS;
    expect(await keeper.look()).toBe(true);
    expect(keeper.pair().facts.fingerprint).toBe(readStored().fingerprint256);
    expect(await keeper.look()).toBe(false);
  });

  test("that can't be written anew stays, and it is told each day", async () => {
    await makeOwn(5);
    const before = readFileSync(files().certificate, "utf8");
    const listNames = (): never => {
      throw new Error("no names");
    };
    const opened = await openCertificate({ files: files(), listNames, clock: () => now / 1000, log });
    expect(opened.ok).toBe(true);
    expect(readFileSync(files().certificate, "utf8")).toBe(before);
    expect(lines).toEqual([expect.stringMatching(/^error certificate can't be renewed .*no names/)]);
    now += DAY_MS;
    if (opened.ok) expect(await opened.value.look()).toBe(false);
    expect(lines).toHaveLength(2);
  });
});

describe("a certificate of one's own", () => {
  test("is never written, and warned of once a day in its last 30 days", async () => {
    takeForeign("own");
    now += DAY_MS;
    const before = readFileSync(files().certificate);
    const keeper = await open();
    expect(lines).toEqual([expect.stringMatching(/^warn certificate ends soon .*tls\.crt/)]);
    await keeper.look();
    expect(lines).toHaveLength(1);
    now += DAY_MS;
    await keeper.look();
    expect(lines).toHaveLength(2);
    expect(readFileSync(files().certificate).equals(before)).toBe(true);
  });

  test.each([
    ["a key of another", () => copyFileSync(makeCertificate(folder, "other").key, files().key), /is not that of the/],
    ["no key", () => writeFileSync(files().key, "hello"), /ssl_keyfile = ".*" is no private key/],
    ["no certificate", () => writeFileSync(files().certificate, "hello"), /ssl_certfile = ".*" is no certificate/],
    ["nothing", () => rmSync(files().certificate), /ssl_certfile can't be read: ENOENT/],
  ] as const)("with %s is refused in one line", async (_what, spoil, message) => {
    takeForeign("own");
    spoil();
    expect(await refusal()).toMatch(message);
    expect(await refusal()).not.toContain("\n");
  });
});

type Presented = Readonly<{ fingerprint: string; close: () => void }>;

const present = (port: number): Promise<Presented> => {
  const { promise, resolve, reject } = Promise.withResolvers<Presented>();
  const socket = connect({ host: "127.0.0.1", port, rejectUnauthorized: false }, () =>
    resolve({
      fingerprint: socket.getPeerCertificate().fingerprint256,
      close: () => void socket.destroy(),
    }),
  );
  socket.on("error", reject);
  return promise;
};

const presents = async (port: number, isRight: (fingerprint: string) => boolean): Promise<boolean> => {
  const presented = await present(port).catch(() => null);
  presented?.close();
  return presented !== null && isRight(presented.fingerprint);
};

const ONE: Places = { addresses: ["127.0.0.1"], areNested: false };

const serve = async (places = ONE): Promise<HttpServer & Readonly<{ port: number }>> => {
  const where = { places, ports: [0], findHolder: async () => null };
  const options = { ...where, certificate: await open(), lookEveryMs: 10, log };
  const started = startHttpServer({
    ...options,
    answer: (_request, { upgrade }) => {
      const send = (message: string | Uint8Array) => peer?.send(Buffer.from(message));
      let peer: Readonly<{ send: (bytes: Uint8Array) => void }> | null = null;
      const onOpen = (opened: NonNullable<typeof peer>): void => {
        peer = opened;
      };
      upgrade({ onOpen, onMessage: send, onDrain: () => undefined, onClose: () => undefined });
      return new Response("hello");
    },
  });
  if (!started.ok) throw new Error(started.error.message);
  cleanUps.push(started.value.stop);
  return { ...started.value, port: Number(new URL(started.value.urls[0] ?? "").port) };
};

const openEcho = async (port: number) => {
  const socket = new WebSocket(`wss://127.0.0.1:${port}/`, { tls: { rejectUnauthorized: false } });
  cleanUps.push(() => socket.close());
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  socket.onopen = () => resolve();
  socket.onerror = () => reject(new Error("no socket"));
  await promise;
  return async (text: string): Promise<string> => {
    const answer = Promise.withResolvers<string>();
    socket.onmessage = ({ data }) => answer.resolve(Buffer.from(data as ArrayBuffer).toString());
    socket.send(text);
    return answer.promise;
  };
};

describe("a server that listens", () => {
  test("serves a renewed certificate to new connections, and keeps those that it has", async () => {
    await makeOwn(40);
    const server = await serve();
    const before = readStored().fingerprint256;
    expect((await present(server.port)).fingerprint).toBe(before);
    const echo = await openEcho(server.port);
    now += 11 * DAY_MS;
    await waitUntil(() => presents(server.port, (shown) => shown !== before), "the new one is presented");
    expect((await present(server.port)).fingerprint).toBe(readStored().fingerprint256);
    expect(await echo("still here")).toBe("still here");
    expect(await (await fetch(server.urls[0] ?? "", { tls: { rejectUnauthorized: false } })).text()).toBe("hello");
  });

  test("is renewed at each address of a server that listens on all, and the connections are kept", async () => {
    await makeOwn(40);
    const server = await serve(choosePlaces("0.0.0.0"));
    const ask = async (url: string) => (await fetch(url, { tls: { rejectUnauthorized: false } })).text();
    const before = readStored().fingerprint256;
    const echo = await openEcho(server.port);
    now += 11 * DAY_MS;
    await waitUntil(() => presents(server.port, (shown) => shown !== before), "the new one is presented");
    expect(await echo("still here")).toBe("still here");
    expect(await Promise.all(server.urls.map(ask))).toEqual(server.urls.map(() => "hello"));
    expect(server.urls.length).toBeGreaterThan(1);
  });

  test("takes over replaced files once they fit together, and serves what it had until then", async () => {
    const first = takeForeign("first");
    const server = await serve();
    const second = makeCertificate(folder, "second");
    copyFileSync(second.cert, `${files().certificate}.mine`);
    renameSync(`${files().certificate}.mine`, files().certificate);
    await waitUntil(() => lines.some((line) => line.startsWith("warn certificate not taken")), "the misfit is told");
    expect((await present(server.port)).fingerprint).toBe(first.fingerprint);
    copyFileSync(second.key, files().key);
    await waitUntil(() => presents(server.port, (shown) => shown === second.fingerprint), "it is presented");
    expect(lines.at(-1)).toStartWith("info certificate taken");
  });
});

test("what createCertificate makes is known again as a server's own, openssl's is not", async () => {
  await makeOwn(40);
  const own = readPair(files());
  takeForeign("foreign");
  chmodSync(files().key, 0o600);
  const foreign = readPair(files());
  expect([own.ok && own.value.facts.isOurs, foreign.ok && foreign.value.facts.isOurs]).toEqual([true, false]);
});
