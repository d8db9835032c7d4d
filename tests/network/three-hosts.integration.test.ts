import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { type ChildProcess, spawn } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type CertificateFiles, makeCertificate } from "../support/certificate.ts";
import { ECHOING_JOB } from "../support/echoing-job.ts";
import { createUserEnvironment } from "../support/piped-nx.ts";
import { type Finished, NX, runProgram, SERVER, stopChild } from "../support/programs.ts";
import { openTmux } from "../support/tmux-terminal.ts";
import { canMakeNetworks, createNetwork, type Host, type Network } from "./network.ts";

const PORT = "54323";

type Server = Readonly<{ name: string; host: Host; folder: string; certificate: CertificateFiles; url: string }>;

let folder: string;
let home: string;
let network: Network;
let client: Host;
let alpha: Server;
let beta: Server;
let running: Map<string, ChildProcess>;
let tokens: Map<string, string>;

const at = (host: Host, words: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Finished> =>
  runProgram([...host.words, ...words], { env: { ...createUserEnvironment(home), ...env }, cwd: home });

const nx = (...words: readonly string[]): Promise<Finished> => at(client, [NX, ...words]);

const describeServer = (name: string, host: Host): Server => ({
  name,
  host,
  folder: join(folder, name),
  certificate: makeCertificate(folder, name),
  url: `https://${host.address}:${PORT}`,
});

const createSettings = ({ name, host, folder: serverDir, certificate }: Server): NodeJS.ProcessEnv => ({
  ...createUserEnvironment(home),
  NS_SERVER_DIR: serverDir,
  NS_NODE_NAME: name,
  NS_HOST: host.address,
  NS_SSL_KEYFILE: certificate.key,
  NS_SSL_CERTFILE: certificate.cert,
  NS_MOCK_GPUS: "2",
});

const startIn = async (
  host: Host,
  words: readonly string[],
  env: NodeJS.ProcessEnv,
  ready: RegExp,
): Promise<ChildProcess> => {
  const [program = "", ...rest] = [...host.words, ...words];
  const child = spawn(program, rest, { env, stdio: ["ignore", "pipe", "pipe"] });
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  let text = "";
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (chunk: string) => {
      text += chunk;
      const token = /shown only once\): (\S+)/.exec(text)?.[1];
      if (token !== undefined && !tokens.has(host.address)) tokens.set(host.address, token);
      if (ready.test(text)) resolve();
    });
  child.once("exit", () => reject(new Error(`it ended: ${text}`)));
  await promise;
  return child;
};

const startServer = async (server: Server): Promise<void> => {
  const ready = tokens.has(server.host.address)
    ? /"url":/
    : /"url":[\s\S]*shown only once|shown only once[\s\S]*"url":/;
  running.set(server.name, await startIn(server.host, SERVER, createSettings(server), ready));
};

const stopServer = async ({ name }: Server): Promise<void> => {
  const child = running.get(name);
  if (child !== undefined) await stopChild(child, "SIGTERM");
};

const tokenOf = ({ host }: Server): string => tokens.get(host.address) ?? "";

const addTarget = ({ name, url, certificate, host }: Server): Promise<Finished> =>
  at(client, [NX, "target", "add", name, url, "--fingerprint", certificate.fingerprint], {
    NEXUS_API_TOKEN: tokens.get(host.address) ?? "",
  });

const ask = async (server: Server, path: string, headers: Readonly<Record<string, string>> = {}): Promise<string> =>
  (
    await at(client, [
      process.execPath,
      join(import.meta.dirname, "ask.ts"),
      server.url + path,
      JSON.stringify(headers),
    ])
  ).stdout;

const copyHome = (name: string, from: string, to: string): string => {
  const other = join(folder, name);
  cpSync(home, other, { recursive: true });
  const path = join(other, ".nexus", "config.toml");
  writeFileSync(path, readFileSync(path, "utf8").replaceAll(from, to));
  return other;
};

beforeAll(async () => {
  if (!canMakeNetworks) return;
  folder = mkdtempSync(join(tmpdir(), "nexus-network-"));
  home = join(folder, "home");
  mkdirSync(home);
  running = new Map();
  tokens = new Map();
  network = createNetwork(3);
  const [one, two, three] = network.hosts;
  if (one === undefined || two === undefined || three === undefined) throw new Error("three hosts are missing");
  client = one;
  alpha = describeServer("alpha", two);
  beta = describeServer("beta", three);
  for (const server of [alpha, beta]) await startServer(server);
  for (const server of [alpha, beta]) expect((await addTarget(server)).exitCode).toBe(0);
});

afterAll(() => {
  if (!canMakeNetworks) return;
  network.dispose();
  rmSync(folder, { recursive: true, force: true });
});

const listCommands = async (target: string): Promise<readonly string[]> => {
  const jobs = JSON.parse((await nx("history", "--all", "--json", "-t", target)).stdout) as readonly {
    command: string;
  }[];
  return jobs.map(({ command }) => command);
};

describe.skipIf(!canMakeNetworks)("two servers and a client on three hosts", () => {
  test("nothing listens on other addresses than asked", async () => {
    expect([alpha, beta].map(({ host }) => host.listListening())).toEqual([
      [`${alpha.host.address}:${PORT}`],
      [`${beta.host.address}:${PORT}`],
    ]);
    const env = { ...createUserEnvironment(home), NS_SERVER_DIR: join(folder, "own"), NS_MOCK_GPUS: "1" };
    const own = await startIn(client, SERVER, env, /"url":/);
    expect(client.listListening()).toEqual([`127.0.0.1:${PORT}`, `[::1]:${PORT}`]);
    await stopChild(own, "SIGTERM");
    expect(client.listListening()).toEqual([]);
  });

  test("a job goes where -t, NEXUS_TARGET or the default says, and nowhere else", async () => {
    const flag = await nx("run", "-t", "alpha", "-c", "--no-git", "echo by flag; exit 3");
    expect([flag.exitCode, flag.stdout]).toEqual([3, expect.stringContaining("\nby flag\n")]);
    const variable = await at(client, [NX, "run", "-c", "--no-git", "echo by variable"], { NEXUS_TARGET: "beta" });
    expect([variable.exitCode, variable.stdout]).toEqual([0, expect.stringContaining("\nby variable\n")]);
    await nx("target", "beta");
    expect((await nx("run", "-c", "--no-git", "echo by default")).exitCode).toBe(0);
    expect(await listCommands("alpha")).toEqual(["echo by flag; exit 3"]);
    expect(await listCommands("beta")).toEqual(["echo by variable", "echo by default"]);
    expect(JSON.parse((await nx("--json")).stdout)).toMatchObject({ target: "beta", status: { node_name: "beta" } });
  });

  test("a log is followed over TLS until the job ends", async () => {
    const gate = join(folder, "gate");
    const command = `echo one; while [ ! -e ${gate} ]; do sleep 0.05; done; echo two; exit 4`;
    const id = (await nx("run", "-d", "-q", "-t", "alpha", "-c", "--no-git", command)).stdout.trim();
    const [program = "", ...words] = [...client.words, NX, "logs", "-F", "-t", "alpha", id];
    const following = spawn(program, words, { env: createUserEnvironment(home), stdio: ["ignore", "pipe", "pipe"] });
    const { promise, resolve } = Promise.withResolvers<number | null>();
    following.once("close", resolve);
    let text = "";
    following.stdout.setEncoding("utf8").on("data", (chunk: string) => {
      text += chunk;
      if (text.includes("one\n")) writeFileSync(gate, "");
    });
    expect([await promise, text]).toEqual([4, expect.stringMatching(/one\n[\s\S]*two\n/)]);
  });

  test("a terminal is attached to over TLS, follows the window's size, and is left and come back to", async () => {
    const terminal = await openTmux({
      env: createUserEnvironment(home),
      cwd: home,
      program: [...client.words, "bash", "--norc", "--noprofile"],
    });
    try {
      const enter = (line: string): void => {
        terminal.type(line);
        terminal.press("Enter");
      };
      await terminal.waitFor("ready>");
      writeFileSync(join(home, "echoing.sh"), ECHOING_JOB);
      enter(`${NX} -t alpha run -c --no-git bash ${join(home, "echoing.sh")}`);
      await terminal.waitFor(/^now 24 80$/m);
      terminal.resize(100, 30);
      await terminal.waitFor(/^now 30 100$/m);
      enter("pear");
      await terminal.waitFor("got pear");
      terminal.press("C-a", "d");
      await terminal.waitFor("Come back with");
      enter(`clear; ${NX} -t alpha attach`);
      await terminal.waitFor(/^(?![\s\S]*Come back)[\s\S]*got pear/);
      enter("plum");
      await terminal.waitFor("got plum");
      terminal.press("C-c");
      await terminal.waitFor("exit code 130");
    } finally {
      terminal.close();
    }
  });

  test("forwarding headers change nothing", async () => {
    const token = { authorization: `Bearer ${tokenOf(alpha)}` };
    const spoofs = [
      { "x-forwarded-for": "127.0.0.1" },
      { "x-real-ip": "127.0.0.1", "x-client-ip": "::1" },
      { forwarded: "for=127.0.0.1;host=localhost;proto=http" },
      { "x-forwarded-host": "localhost", "x-forwarded-proto": "http" },
      { host: "localhost" },
      { host: `127.0.0.1:${PORT}`, "x-forwarded-for": "127.0.0.1" },
    ];
    for (const spoof of spoofs) {
      expect(await ask(alpha, "/v1/jobs", spoof)).toStartWith("401 ");
      expect(await ask(alpha, "/v1/jobs?limit=1", { ...spoof, ...token })).toStartWith("200 ");
    }
    expect(await ask(alpha, "/v1/jobs", { host: "evil.example", ...token })).toStartWith("403 ");
  });

  test("no token, a wrong one and that of the other server get 401", async () => {
    const headers = ["", "Bearer", "Bearer wrong", `Bearer ${tokenOf(beta)}`];
    for (const authorization of headers)
      expect(await ask(alpha, "/v1/jobs", authorization === "" ? {} : { authorization })).toStartWith("401 ");
    expect(await ask(alpha, "/v1/jobs", { authorization: `Bearer ${tokenOf(alpha)}` })).toStartWith("200 ");
    const stranger = copyHome("stranger", tokenOf(alpha), "wrong");
    for (const words of [["queue"], ["add", "-c", "-y", "--no-git", "true"], ["logs", "-F", "0"]]) {
      const refused = await at(client, [NX, "-t", "alpha", ...words], { HOME: stranger });
      expect([words, refused.exitCode, refused.stdout]).toEqual([words, 4, ""]);
    }
  });

  test("a token of one's own works until it is revoked", async () => {
    const token = (...words: readonly string[]): Promise<Finished> =>
      runProgram([...SERVER, "token", ...words], { env: createSettings(alpha), cwd: home });
    const added = await token("add", "ada");
    expect(added.exitCode).toBe(0);
    const own = copyHome("own-token", tokenOf(alpha), added.stdout.trim());
    const add = (): Promise<Finished> =>
      at(client, [NX, "-t", "alpha", "add", "-c", "-y", "-q", "--no-git", "true"], { HOME: own });
    const submitted = await add();
    expect(submitted.exitCode).toBe(0);
    const job = JSON.parse((await nx("get", "-t", "alpha", "--json", submitted.stdout.trim())).stdout);
    expect(job).toMatchObject({ user: "ada" });
    expect((await token("revoke", "ada")).exitCode).toBe(0);
    expect(await ask(alpha, "/v1/jobs", { authorization: `Bearer ${added.stdout.trim()}` })).toStartWith("401 ");
    const refused = await add();
    expect([refused.exitCode, refused.stdout, refused.stderr]).toEqual([4, "", expect.stringContaining("token")]);
  });

  test("the one token is refused at once when it was made anew", async () => {
    const env = createSettings(beta);
    const rotated = await runProgram([...SERVER, "token", "--rotate"], { env, cwd: home });
    expect(rotated.exitCode).toBe(0);
    expect(await ask(beta, "/v1/jobs", { authorization: `Bearer ${tokenOf(beta)}` })).toStartWith("401 ");
    const refused = await nx("queue", "-t", "beta");
    expect([refused.exitCode, refused.stdout, refused.stderr]).toEqual([4, "", expect.stringContaining("token")]);
    tokens.set(beta.host.address, rotated.stdout.trim());
    await nx("target", "remove", "beta", "-y");
    expect(await addTarget(beta)).toMatchObject({ exitCode: 0 });
    expect((await nx("queue", "-t", "beta")).exitCode).toBe(0);
  });

  test("a man in the middle with another certificate gets nothing, whatever is asked", async () => {
    await stopServer(beta);
    const other = makeCertificate(folder, "thief");
    const received = join(folder, "received");
    const words = [join(import.meta.dirname, "imposter.ts"), beta.host.address, PORT, other.key, other.cert, received];
    const imposter = await startIn(beta.host, [process.execPath, ...words], createUserEnvironment(home), /listening/);
    for (const asked of [["queue"], ["run", "-c", "--no-git", "true"], ["logs", "-F"], ["--json"]]) {
      const refused = await nx("-t", "beta", ...asked);
      expect([asked, refused.exitCode, refused.stdout]).toEqual([asked, 1, ""]);
      expect(refused.stderr).toContain(`pinned:    ${beta.certificate.fingerprint}`);
      expect(refused.stderr).toContain(`presented: ${other.fingerprint}`);
    }
    expect(existsSync(received)).toBe(false);
    await stopChild(imposter, "SIGTERM");
    await startServer(beta);
    expect((await nx("queue", "-t", "beta")).exitCode).toBe(0);
  });

  test("machines that can't be reached are told apart in clear words", async () => {
    const add = (url: string): Promise<Finished> => nx("target", "add", "lost", url, "-y");
    const moved = copyHome("moved", alpha.host.address, network.lost);
    const all = await Promise.all([
      add(`https://${network.lost}`),
      at(client, [NX, "queue", "-t", "alpha"], { HOME: moved }),
      add(`https://${network.unroutable}`),
      add(`https://${network.absent}`),
      add(`https://${alpha.host.address}:1`),
    ]);
    expect(all.map(({ exitCode, stderr }) => [exitCode, stderr])).toEqual([
      [3, expect.stringContaining("did not answer in time")],
      [3, expect.stringContaining("did not answer in time")],
      [3, expect.stringContaining("no way leads there")],
      [3, expect.stringContaining("no way leads there")],
      [3, expect.stringContaining("nothing listens there")],
    ]);
  });
});
