import { type ChildProcess, spawn } from "node:child_process";
import { openSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { makeCertificate } from "./certificate.ts";
import { SERVER, stopChild } from "./programs.ts";
import { waitUntil } from "./wait.ts";
import type { World } from "./world.ts";

export type Call = Readonly<{
  path: string;
  method?: string;
  token?: string;
  headers?: Readonly<Record<string, string>>;
  json?: unknown;
}>;

export type Answer = Readonly<{ status: number; text: string }>;

/** A server in a network of its own, and calls that come to it from there by an address that is not loopback. */
export type RemoteServer = Readonly<{
  url: string;
  log: string;
  ask: (calls: readonly Call[]) => Promise<readonly Answer[]>;
  enter: (argv: readonly string[]) => readonly string[];
  stop: () => Promise<void>;
}>;

const ADDRESS = "192.0.2.7";
const NETWORK = `ip link set lo up && ip addr add ${ADDRESS}/32 dev lo && exec "$@"`;
const ASK = `
const { url, calls } = JSON.parse(await Bun.stdin.text());
const answers = [];
for (const { path, method = "GET", token, headers = {}, json } of calls) {
  const sent = { ...headers, ...(token === undefined ? {} : { authorization: "Bearer " + token }) };
  const body = json === undefined ? {} : { body: JSON.stringify(json) };
  if (json !== undefined) sent["content-type"] = "application/json";
  const response = await fetch(url + path, { method, headers: sent, ...body, tls: { rejectUnauthorized: false } });
  answers.push({ status: response.status, text: await response.text() });
}
process.stdout.write(JSON.stringify(answers));
`;

const runAsk = (argv: readonly string[], input: unknown): Promise<string> => {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const child = spawn(argv[0] ?? "", argv.slice(1), { stdio: ["pipe", "pipe", "pipe"] });
  const output = { stdout: "", stderr: "" };
  child.stdout.on("data", (data) => (output.stdout += String(data)));
  child.stderr.on("data", (data) => (output.stderr += String(data)));
  child.on("close", (code) => (code === 0 ? resolve(output.stdout) : reject(new Error(output.stderr))));
  child.stdin.end(JSON.stringify(input));
  return promise;
};

const startIn = (world: World, settings: NodeJS.ProcessEnv, log: string): ChildProcess => {
  const out = openSync(log, "a", 0o600);
  const argv = ["--net", "sh", "-c", NETWORK, "sh", ...SERVER];
  return spawn("unshare", argv, { env: { ...world.env, ...settings }, stdio: ["ignore", out, out] });
};

export const startRemoteServer = async (
  world: World,
  settings: Readonly<Record<string, string>> = {},
): Promise<RemoteServer> => {
  const { key, cert } = makeCertificate(world.folder, "atlas");
  const log = join(world.folder, "remote.log");
  const script = join(world.folder, "ask.js");
  writeFileSync(script, ASK);
  const tls = { NS_SSL_KEYFILE: key, NS_SSL_CERTFILE: cert, NS_HOST: "0.0.0.0", NS_ALLOWED_HOSTS: ADDRESS };
  const child = startIn(world, { ...tls, ...settings }, log);
  const url = `https://${ADDRESS}:${world.env["NS_PORT"]}`;
  const enter = (argv: readonly string[]) => ["nsenter", `--net=/proc/${child.pid}/ns/net`, ...argv];
  const ask = async (calls: readonly Call[]) =>
    JSON.parse(await runAsk(enter([process.execPath, script]), { url, calls })) as readonly Answer[];
  const isUp = async (): Promise<boolean> => {
    try {
      return (await ask([{ path: "/v1/health" }]))[0]?.status === 200;
    } catch {
      return false;
    }
  };
  await waitUntil(isUp, "the remote server answers");
  return { url, log, ask, enter, stop: () => stopChild(child, "SIGTERM") };
};
