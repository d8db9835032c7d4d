import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { spawn } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeCertificate } from "../../support/certificate.ts";
import { pickPort } from "../../support/pick-port.ts";
import { createPipedNx, createUserEnvironment } from "../../support/piped-nx.ts";
import { type Finished, NX, SERVER, stopChild } from "../../support/programs.ts";
import { canRunSshd, listSshProcesses, type SshServer, startSshServer, USER } from "../../support/ssh-server.ts";
import { openTmux } from "../../support/tmux-terminal.ts";
import { waitUntil } from "../../support/wait.ts";
import { endJobs } from "../../support/world.ts";

let folder: string;
let home: string;
let runtime: string;
let serverPort: number;
let cleanUps: (() => Promise<unknown> | unknown)[];

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "nexus-ssh-"));
  home = join(folder, "home");
  runtime = join(folder, "run");
  mkdirSync(join(home, ".nexus"), { recursive: true });
  mkdirSync(runtime, { mode: 0o700 });
  serverPort = await pickPort();
  cleanUps = [];
});

const listMasters = (): readonly number[] => listSshProcesses(runtime);

afterEach(async () => {
  for (const pid of listMasters()) process.kill(pid, "SIGKILL");
  for (const cleanUp of cleanUps.toReversed()) await cleanUp();
  rmSync(folder, { recursive: true, force: true });
});

const createEnvironment = ({ path }: Pick<SshServer, "path">): NodeJS.ProcessEnv => ({
  PATH: path,
  XDG_RUNTIME_DIR: runtime,
});

const nx = createPipedNx(() => home);

const startSsh = async (options: Parameters<typeof startSshServer>[1] = {}): Promise<SshServer> => {
  const ssh = await startSshServer(folder, options);
  cleanUps.push(ssh.stop);
  return ssh;
};

const startServer = async (more: NodeJS.ProcessEnv = {}): Promise<void> => {
  const settings = { NS_SERVER_DIR: join(folder, "server"), NS_PORT: String(serverPort), NS_MOCK_GPUS: "2" };
  const env = { ...createUserEnvironment(home), ...settings, ...more };
  const server = spawn(SERVER[0] ?? "", SERVER.slice(1), { env, stdio: "pipe" });
  cleanUps.push(() => stopChild(server, "SIGTERM"));
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  let text = "";
  server.stdout.setEncoding("utf8").on("data", (chunk: string) => {
    text += chunk;
    if (text.includes('"url":')) resolve();
  });
  server.once("exit", () => reject(new Error(`the server ended: ${text}`)));
  await promise;
};

const add = (ssh: Pick<SshServer, "path">, url = "ssh://box", place = String(serverPort)): Promise<Finished> =>
  nx(["target", "add", "lab", url, "--server-at", place], "", createEnvironment(ssh));

const inLab = (ssh: SshServer, ...words: readonly string[]): Promise<Finished> =>
  nx(["-t", "lab", ...words], "", createEnvironment(ssh));

const readSettings = (): string => readFileSync(join(home, ".nexus", "config.toml"), "utf8");

const listKept = (): readonly string[] => readdirSync(join(runtime, "nexus")).toSorted();

const modeOf = (path: string): number => statSync(path).mode & 0o777;

describe.skipIf(!canRunSshd)("a server behind ssh", () => {
  test("is added, used by all commands over one kept connection, and removed without a trace", async () => {
    const ssh = await startSsh();
    await startServer();
    const added = await add(ssh, `ssh://${USER}@127.0.0.1:${ssh.port}`);
    expect([added.exitCode, added.stdout]).toEqual([0, expect.stringMatching(/^Target lab is added: \S+ with 2 GPUs/)]);
    expect(readSettings()).toContain('protocol = "ssh"');
    expect((await inLab(ssh, "queue", "--json")).stdout).toBe("[]\n");
    const job = await inLab(ssh, "run", "-c", "--no-git", "echo through ssh; exit 3");
    expect([job.exitCode, job.stdout]).toEqual([3, expect.stringContaining("\nthrough ssh\n")]);
    expect([ssh.countLogins(), listMasters().length]).toEqual([1, 1]);
    const kept = join(runtime, "nexus");
    expect(listKept().map((name) => modeOf(join(kept, name)))).toEqual([0o600, 0o600, 0o600]);
    expect(modeOf(kept)).toBe(0o700);
    expect((await nx(["target", "list"])).stdout).toContain(`ssh://${USER}@127.0.0.1:${ssh.port}`);
    expect((await nx(["target", "remove", "lab", "-y"], "", createEnvironment(ssh))).exitCode).toBe(0);
    await waitUntil(() => listMasters().length === 0, "the connection has ended");
    expect(listKept()).toEqual([]);
  });

  test("that speaks TLS on its loopback is pinned, and another certificate is refused", async () => {
    const ssh = await startSsh();
    const { key, cert, fingerprint } = makeCertificate(folder, "gpu-box");
    await startServer({ NS_SSL_KEYFILE: key, NS_SSL_CERTFILE: cert });
    expect((await add(ssh)).exitCode).toBe(0);
    expect(readSettings()).toContain(fingerprint);
    expect((await inLab(ssh, "queue", "-q")).exitCode).toBe(0);
    writeFileSync(
      join(home, ".nexus", "config.toml"),
      readSettings().replace(fingerprint, Array(32).fill("AB").join(":")),
    );
    const refused = await inLab(ssh, "queue");
    expect([refused.exitCode, refused.stderr]).toEqual([1, expect.stringContaining(`presented: ${fingerprint}`)]);
  });

  test("that trusts nobody on loopback is reached at its socket, where the kernel says who logged in", async () => {
    const ssh = await startSsh();
    const socket = join(folder, "nexus.sock");
    await startServer({ NS_SOCKET: socket, NS_TRUST_LOOPBACK: "false" });
    const refused = await add(ssh);
    expect([refused.exitCode, refused.stderr]).toEqual([4, expect.stringContaining("it needs a token")]);
    const added = await add(ssh, "ssh://box", socket);
    expect([added.exitCode, added.stdout]).toEqual([0, expect.stringMatching(/^Target lab is added/)]);
    const job = await inLab(ssh, "run", "-c", "--no-git", "echo by its socket");
    expect([job.exitCode, job.stdout]).toEqual([0, expect.stringContaining("\nby its socket\n")]);
    await cleanUps.pop()?.();
    const away = await inLab(ssh, "queue");
    expect([away.exitCode, away.stderr]).toEqual([3, expect.stringContaining(socket)]);
  });

  test("gets one connection from several commands that begin at once", async () => {
    const ssh = await startSsh();
    await startServer();
    await add(ssh);
    for (const pid of listMasters()) process.kill(pid, "SIGTERM");
    await waitUntil(() => listMasters().length === 0, "the connection has ended");
    const all = await Promise.all([inLab(ssh, "queue"), inLab(ssh, "history"), inLab(ssh, "--json")]);
    expect(all.map(({ exitCode }) => exitCode)).toEqual([0, 0, 0]);
    expect([ssh.countLogins(), listMasters().length]).toEqual([2, 1]);
  });

  test("is connected to anew when the connection has died", async () => {
    const ssh = await startSsh();
    await startServer();
    await add(ssh);
    for (const pid of listMasters()) process.kill(pid, "SIGKILL");
    await waitUntil(() => listMasters().length === 0, "the connection has died");
    const queue = await inLab(ssh, "queue");
    expect([queue.exitCode, queue.stderr, ssh.countLogins()]).toEqual([0, "The queue is empty.\n", 2]);
    expect(listKept()).toHaveLength(3);
  });

  test("loses the connection by itself after a while without commands", async () => {
    const ssh = await startSsh({ words: "-o ControlPersist=5" });
    await startServer();
    expect((await add(ssh)).exitCode).toBe(0);
    expect(listMasters()).toHaveLength(1);
    await waitUntil(() => listMasters().length === 0, "the connection has ended");
  });

  test("a killed command leaves nothing but a connection that ends by itself", async () => {
    const ssh = await startSsh({ words: "-o ControlPersist=5" });
    await startServer();
    await add(ssh);
    for (const pid of listMasters()) process.kill(pid, "SIGTERM");
    await waitUntil(() => listMasters().length === 0, "the connection has ended");
    const gate = join(folder, "gate");
    const program = join(ssh.folder, "bin", "ssh");
    const waiting = `[ -e ${gate} ] || { touch ${gate}; while [ -e ${gate} ]; do sleep 0.01; done; }`;
    writeFileSync(program, readFileSync(program, "utf8").replace("exec", `${waiting}\nexec`));
    const env = { ...createUserEnvironment(home), ...createEnvironment(ssh) };
    const killed = spawn(NX, ["queue", "-t", "lab"], { env, stdio: "ignore" });
    await waitUntil(() => existsSync(gate), "ssh has begun");
    await stopChild(killed, "SIGKILL");
    expect((await inLab(ssh, "queue")).exitCode).toBe(0);
    rmSync(gate);
    await waitUntil(() => ssh.countLogins() === 3, "the killed command's connection stands");
    await waitUntil(() => listSshProcesses(runtime).length === 0, "no connection is left");
  });

  test("is attached to again by itself when the connection dies", async () => {
    const ssh = await startSsh();
    await startServer();
    cleanUps.push(() => endJobs(`http://127.0.0.1:${serverPort}`));
    await add(ssh);
    const env = { ...createUserEnvironment(home), ...createEnvironment(ssh) };
    const terminal = await openTmux({ env, cwd: folder });
    cleanUps.push(terminal.close);
    terminal.type(`${NX} -t lab run -c --no-git sh -c 'echo ready; while read word; do echo got $word; done'`);
    terminal.press("Enter");
    await terminal.waitFor(/^ready$/m);
    for (const pid of listMasters()) process.kill(pid, "SIGKILL");
    await terminal.waitFor("connection broke");
    await terminal.waitFor(/^(?![\s\S]*connection broke)[\s\S]*^ready$/m);
    terminal.type("pear");
    terminal.press("Enter");
    await terminal.waitFor("got pear");
  });

  test("is attached to on a terminal, on which ssh asks what it has to ask", async () => {
    const ssh = await startSsh({ passphrase: "open sesame" });
    ssh.configure("StrictHostKeyChecking ask");
    await startServer();
    cleanUps.push(() => endJobs(`http://127.0.0.1:${serverPort}`));
    const env = { ...createUserEnvironment(home), ...createEnvironment(ssh) };
    const terminal = await openTmux({ env, cwd: folder });
    cleanUps.push(terminal.close);
    const enter = (text: string): void => {
      terminal.type(text);
      terminal.press("Enter");
    };
    enter(`${NX} target add lab ssh://box --server-at ${serverPort}; echo "ended $?"`);
    await terminal.waitFor("continue connecting");
    enter("yes");
    await terminal.waitFor("Enter passphrase");
    enter("open sesame");
    await terminal.waitFor("ended 0");
    enter(`clear; ${NX} -t lab run -c --no-git sh -c 'echo "type: "; read word; echo "got $word"; exit 5'`);
    await terminal.waitFor(/^type:/m);
    enter("pear");
    await terminal.waitFor("got pear");
    await terminal.waitFor("exit code 5");
    expect(ssh.countLogins()).toBe(1);
  });

  test("is asked for nothing by Tab while there is no connection", async () => {
    const ssh = await startSsh();
    await startServer();
    await add(ssh);
    for (const pid of listMasters()) process.kill(pid, "SIGTERM");
    await waitUntil(() => listMasters().length === 0, "the connection has ended");
    const completed = await inLab(ssh, "__complete", "-t", "lab", "logs", "");
    expect([completed.stdout, ssh.countLogins()]).toEqual(["", 1]);
  });
});

describe.skipIf(!canRunSshd)("what ssh can't do is told in one line, and nothing is added or left", () => {
  type Case = readonly [what: string, prepare: () => Promise<readonly [path: string, url: string]>, number, RegExp];

  const withPath =
    (change: (ssh: SshServer) => void, url = "ssh://box", server = ""): Case[1] =>
    async () => {
      const ssh = await startSsh({ server });
      change(ssh);
      return [ssh.path, url];
    };

  const forgetKey = ({ folder: place }: SshServer): void => writeFileSync(join(place, "authorized_keys"), "");
  const swapHostKey = ({ folder: place, port }: SshServer): void => {
    const other = readFileSync(join(place, "user_key.pub"), "utf8");
    writeFileSync(join(place, "known_hosts"), `[127.0.0.1]:${port} ${other}`);
  };

  const cases: readonly Case[] = [
    ["no ssh", async () => [folder, "ssh://box"], 3, /ssh is not installed here/],
    ["no such name", withPath(() => undefined, "ssh://no-such-host.invalid"), 3, /no machine of that name/],
    ["no SSH server", withPath(() => undefined, "ssh://127.0.0.1:1"), 3, /no SSH server listens there/],
    ["no key that it knows", withPath(forgetKey), 4, /does not let you in.*: ssh box$/m],
    [
      "a host key that is not known",
      withPath((ssh) => ssh.configure("")),
      4,
      /host key is not known here.*: ssh box$/m,
    ],
    ["another host key", withPath(swapHostKey), 4, /host key is not the one that is known/],
    ["no server", withPath(() => undefined), 3, /no server listens there at \d+/],
    ["no forwarding", withPath(() => undefined, "ssh://box", "AllowTcpForwarding no"), 3, /forwards nothing/],
  ];

  test.each(cases)("%s", async (_what, prepare, exitCode, words) => {
    const [path, url] = await prepare();
    const added = await add({ path }, url);
    expect([added.exitCode, added.stdout, added.stderr]).toEqual([exitCode, "", expect.stringMatching(words)]);
    expect(added.stderr.trim().split("\n")).toHaveLength(1);
    expect(readSettings).toThrow();
    expect(listKept()).toEqual([]);
    await waitUntil(() => listMasters().length === 0, "no ssh is left");
  });

  test("a server behind ssh that wants a token, and a wrong one", async () => {
    const ssh = await startSsh();
    const answer = (): Response => Response.json({ error: "INVALID_CREDENTIALS", message: "no" }, { status: 401 });
    const server = Bun.serve({ port: serverPort, hostname: "127.0.0.1", fetch: answer });
    cleanUps.push(() => server.stop(true));
    const added = await add(ssh);
    expect([added.exitCode, added.stderr]).toEqual([4, expect.stringContaining("it needs a token")]);
    await waitUntil(() => listMasters().length === 0, "the connection has ended");
  });

  test("a folder of others is not used", async () => {
    mkdirSync(join(runtime, "nexus"), { mode: 0o777 });
    chmodSync(join(runtime, "nexus"), 0o777);
    const added = await add(await startSsh());
    expect([added.exitCode, added.stderr]).toEqual([1, expect.stringContaining("yours alone")]);
  });
});
