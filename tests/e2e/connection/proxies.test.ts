import { afterEach, beforeEach, expect, test } from "bun:test";
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type CertificateFiles, makeCertificate } from "../../support/certificate.ts";
import { createUserEnvironment } from "../../support/piped-nx.ts";
import { type Finished, NX, runProgram } from "../../support/programs.ts";
import { canMount } from "../../support/small-disk.ts";

const TOKEN = "verysecrettokenvalue";
const VARIABLES = ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"].flatMap((name) => [name, name.toLowerCase()]);
const WITH_HOSTS = 'mount --bind "$0" /etc/hosts && exec "$@"';

let folder: string;
let home: string;
let certificate: CertificateFiles;
let proxied: string;
let proxy: string;
let cleanUps: (() => unknown)[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "nexus-proxy-"));
  home = join(folder, "home");
  mkdirSync(join(home, ".nexus"), { recursive: true, mode: 0o700 });
  certificate = makeCertificate(folder, "box");
  mkdirSync(join(home, ".nexus", "certificates"));
  copyFileSync(certificate.cert, join(home, ".nexus", "certificates", "tun.pem"));
  proxied = "";
  cleanUps = [];
  const listener = Bun.listen({
    hostname: "127.0.0.1",
    port: 0,
    socket: {
      data: (socket, data) => {
        proxied += String(data);
        socket.end("HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
      },
    },
  });
  proxy = `http://127.0.0.1:${listener.port}`;
  cleanUps.push(() => listener.stop(true));
});

afterEach(() => {
  for (const cleanUp of cleanUps) cleanUp();
  rmSync(folder, { recursive: true, force: true });
});

const serve = (protocol: string, hostname: string): Readonly<{ port: number; tokens: (string | null)[] }> => {
  const tokens: (string | null)[] = [];
  const tls = { key: readFileSync(certificate.key), cert: readFileSync(certificate.cert) };
  const server = Bun.serve({
    hostname,
    port: 0,
    ...(protocol === "https" ? { tls } : {}),
    fetch: (request) => {
      tokens.push(request.headers.get("authorization"));
      return Response.json([]);
    },
  });
  cleanUps.push(() => server.stop(true));
  return { port: server.port ?? 0, tokens };
};

const writeTarget = (protocol: string, host: string, port: number): void =>
  writeFileSync(
    join(home, ".nexus", "config.toml"),
    [
      "[targets.tun]",
      ...[`protocol = "${protocol}"`, `host = "${host}"`, `port = ${port}`, `api_token = "${TOKEN}"`],
      ...(protocol === "https" ? [`certificate_fingerprint = "${certificate.fingerprint}"`] : []),
      "",
    ].join("\n"),
    { mode: 0o600 },
  );

const ask = (argv: readonly string[], more: NodeJS.ProcessEnv = {}): Promise<Finished> => {
  const proxies = Object.fromEntries(VARIABLES.map((name) => [name, proxy]));
  return runProgram(argv, { env: { ...createUserEnvironment(home), ...proxies, ...more }, cwd: home });
};

const HOSTS = ["127.0.0.1", "localhost", "LOCALHOST", "127.1", "::1", "0.0.0.0", "::ffff:127.0.0.1"];

test.each(HOSTS.flatMap((host) => ["http", "https"].map((protocol) => [protocol, host] as const)))(
  "no proxy hears of %s on %s",
  async (protocol, host) => {
    const { port, tokens } = serve(protocol, host.startsWith("::1") ? "::1" : "127.0.0.1");
    writeTarget(protocol, host, port);
    for (const more of [{}, { NO_PROXY: "example.org", no_proxy: "" }]) {
      await ask([NX, "-t", "tun", "queue"], more);
      expect(proxied).toBe("");
    }
    expect(new Set(tokens)).toEqual(new Set([`Bearer ${TOKEN}`]));
  },
);

test.skipIf(!canMount)("no proxy hears of a name that only this machine takes for its own", async () => {
  const { port, tokens } = serve("https", "127.0.0.1");
  const hosts = join(folder, "hosts");
  writeFileSync(hosts, "127.0.0.1 localhost gpu-tunnel.example\n");
  writeTarget("https", "gpu-tunnel.example", port);
  const asked = await ask(["unshare", "--mount", "sh", "-c", WITH_HOSTS, hosts, NX, "-t", "tun", "queue"]);
  expect([asked.exitCode, proxied]).toEqual([0, ""]);
  expect(tokens).toEqual([`Bearer ${TOKEN}`]);
});

test("a proxy is used for other machines, and sees no token", async () => {
  writeTarget("https", "gpu-box.example", 443);
  const asked = await ask([NX, "-t", "tun", "queue"]);
  expect(asked.exitCode).not.toBe(0);
  expect(proxied).toStartWith("CONNECT gpu-box.example:443 ");
  expect(proxied).not.toContain(TOKEN);
});

test("the local server is reached without a proxy", async () => {
  const { port, tokens } = serve("http", "127.0.0.1");
  const asked = await ask([NX, "queue"], { NS_PORT: String(port) });
  expect([asked.exitCode, proxied, tokens.length]).toEqual([0, "", 1]);
});
