import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type CertificateFiles, makeCertificate, signCertificate } from "../../../tests/support/certificate.ts";
import { createPipedNx, createUserEnvironment } from "../../../tests/support/piped-nx.ts";
import { type Finished, NEXUS_SERVER, NX, runProgram, stopChild } from "../../../tests/support/programs.ts";
import { openTmux } from "../../../tests/support/tmux-terminal.ts";
import { explainCode } from "../connection/connection-trouble.ts";
import { createPin, fetchCertificate, type Pin, readCertificate } from "./pinned-certificate.ts";

const TOKEN = "correct-horse";

let folder: string;
let home: string;
let certificate: CertificateFiles;
let cleanUps: (() => Promise<unknown> | unknown)[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "nexus-target-"));
  home = join(folder, "home");
  mkdirSync(join(home, ".nexus"), { recursive: true });
  certificate = makeCertificate(folder, "gpu-box");
  cleanUps = [];
});

afterEach(async () => {
  for (const cleanUp of cleanUps.toReversed()) await cleanUp();
  rmSync(folder, { recursive: true, force: true });
});

const nx = createPipedNx(() => home);

const readOutput = (server: ChildProcess): Promise<string> => {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  let text = "";
  server.stdout?.setEncoding("utf8").on("data", (chunk: string) => {
    text += chunk;
    const url = /"url":"([^"]+)"/.exec(text)?.[1];
    if (url !== undefined) resolve(url);
  });
  server.once("exit", () => reject(new Error(`the server ended: ${text}`)));
  return promise;
};

const startRealServer = async (): Promise<string> => {
  const tls = { NS_SSL_KEYFILE: certificate.key, NS_SSL_CERTFILE: certificate.cert };
  const settings = { NS_SERVER_DIR: join(folder, "server"), NS_PORT: "0", NS_MOCK_GPUS: "2", NS_API_TOKEN: TOKEN };
  const server = spawn(NEXUS_SERVER, [], {
    env: { ...createUserEnvironment(home), ...tls, ...settings },
    stdio: "pipe",
  });
  cleanUps.push(() => stopChild(server, "SIGTERM"));
  return readOutput(server);
};

const STATUS = { server_version: "1.0.0", node_name: "box", gpu_count: 2 };

type StandIn = Readonly<{ url: string; port: number; tokens: readonly (string | null)[]; stop: () => Promise<void> }>;

const startStandIn = (
  tls: CertificateFiles | null,
  answer: () => Response = () => Response.json(STATUS),
  port = 0,
): StandIn => {
  const tokens: (string | null)[] = [];
  const server = Bun.serve({
    port,
    hostname: "127.0.0.1",
    ...(tls === null ? {} : { tls: { key: readFileSync(tls.key), cert: readFileSync(tls.cert) } }),
    fetch: (request) => {
      tokens.push(request.headers.get("authorization"));
      return answer();
    },
  });
  cleanUps.push(() => server.stop(true));
  return { url: `https://127.0.0.1:${server.port}`, port: server.port ?? 0, tokens, stop: () => server.stop(true) };
};

const readSettings = (): string => readFileSync(join(home, ".nexus", "config.toml"), "utf8");

const writeSettings = (text: string): void => writeFileSync(join(home, ".nexus", "config.toml"), text);

const modeOf = (name: string): number => statSync(join(home, ".nexus", name)).mode & 0o777;

const addLab = (url: string): Promise<Finished> =>
  nx(["target", "add", "lab", url, "--fingerprint", certificate.fingerprint, "--token-stdin"], `${TOKEN}\n`);

describe("a real server whose certificate is made out to another name", () => {
  test("is added by its fingerprint, used, made the default and removed, and the file keeps what it had", async () => {
    writeSettings('# mine\nuser = "ada" # me\ncolour = "blue"\n');
    const added = await addLab(await startRealServer());
    expect([added.exitCode, added.stdout]).toEqual([0, expect.stringMatching(/^Target lab is added: \S+ with 2 GPUs/)]);
    expect(readSettings()).toStartWith('# mine\nuser = "ada" # me\ncolour = "blue"\n\n[targets.lab]\n');
    expect([modeOf("config.toml"), modeOf("certificates/lab.pem")]).toEqual([0o600, 0o600]);

    expect((await nx(["queue", "--json", "-t", "lab"])).stdout).toBe("[]\n");
    const job = await nx(["run", "-t", "lab", "-c", "--no-git", "echo over TLS; exit 3"]);
    expect([job.exitCode, job.stdout]).toEqual([3, expect.stringContaining("\nover TLS\n")]);

    expect((await nx(["target", "lab"])).exitCode).toBe(0);
    expect(JSON.parse((await nx(["--json"])).stdout)).toMatchObject({ target: "lab" });
    expect((await nx(["target", "list", "-q"])).stdout).toBe("local\nlab\n");

    const refused = await nx(["target", "remove", "lab"]);
    expect([refused.exitCode, refused.stderr]).toEqual([2, expect.stringContaining("add -y")]);
    expect((await nx(["target", "remove", "lab", "-y"])).exitCode).toBe(0);
    expect(readSettings().trim()).toBe('# mine\nuser = "ada" # me\ncolour = "blue"');
    expect(() => modeOf("certificates/lab.pem")).toThrow();
  });

  test("on a terminal the fingerprint is asked about and the token is not shown", async () => {
    const url = await startRealServer();
    const terminal = await openTmux({ env: createUserEnvironment(home), cwd: folder });
    cleanUps.push(terminal.close);
    terminal.type(`${NX} target add lab ${url}; echo "ended $?"`);
    terminal.press("Enter");
    await terminal.waitFor("[y/N]");
    expect(terminal.screen().replaceAll(/\s/g, "")).toContain(certificate.fingerprint);
    terminal.type("y");
    terminal.press("Enter");
    await terminal.waitFor("API token");
    terminal.type(TOKEN);
    terminal.press("Enter");
    const shown = await terminal.waitFor("ended 0");
    expect(shown).not.toContain(TOKEN);
    expect(readSettings()).toContain(`api_token = "${TOKEN}"`);
  });

  test("Ctrl-C at the question for the token ends with 130 and adds nothing", async () => {
    const terminal = await openTmux({ env: createUserEnvironment(home), cwd: folder });
    cleanUps.push(terminal.close);
    terminal.type(`${NX} target add lab ${startStandIn(certificate).url} -y; echo "ended $?"`);
    terminal.press("Enter");
    await terminal.waitFor("API token");
    terminal.press("C-c");
    await terminal.waitFor("ended 130");
    expect(readSettings).toThrow();
  });
});

describe("the name of a token", () => {
  const addToken = async (name: string): Promise<string> => {
    const env = { ...createUserEnvironment(home), NS_SERVER_DIR: join(folder, "server") };
    return (await runProgram([NEXUS_SERVER, "token", "add", name], { env, cwd: folder })).stdout.trim();
  };

  const addAs = (url: string, token: string, env: Readonly<Record<string, string>> = {}): Promise<Finished> =>
    nx(["target", "add", "lab", url, "--fingerprint", certificate.fingerprint, "--token-stdin"], token, env);

  const readUser = async (env: Readonly<Record<string, string>> = {}): Promise<unknown> => {
    const added = await nx(["add", "-t", "lab", "-c", "--no-git", "--json", "true"], "", env);
    return added.exitCode === 0 ? JSON.parse(added.stdout)[0].user : added.exitCode;
  };

  test("is the user of its target's jobs from then on, and of no other target's", async () => {
    writeSettings('user = "ada"\n');
    const url = await startRealServer();
    const added = await addAs(url, await addToken("ann"));
    expect([added.exitCode, added.stdout]).toEqual([0, expect.stringMatching(/ GPUs, at \S+, where you are ann\.\n$/)]);
    expect(readSettings()).toContain("\n[targets.lab]\n");
    expect(readSettings()).toContain('nexus_user = "ann"\n');
    expect(await readUser()).toBe("ann");
    expect(await readUser({ NEXUS_USER: "bob" })).toBe(4);
    expect(JSON.parse((await nx(["config", "--json"])).stdout)).toMatchObject({ user: "ada" });
  });

  test("goes with it: another token brings its own, and one that names nobody leaves the user's own", async () => {
    writeSettings('user = "ada"\n');
    const url = await startRealServer();
    await addAs(url, await addToken("ann"));
    const other = await addAs(url, await addToken("eve"), { NEXUS_USER: "bob" });
    expect(other.stderr).toContain("NEXUS_USER=bob is set here and still wins");
    expect([readSettings().match(/nexus_user = .*/g), await readUser()]).toEqual([['nexus_user = "eve"'], "eve"]);
    const nameless = await addAs(url, TOKEN);
    expect([nameless.stdout, readSettings()]).toEqual([
      expect.not.stringContaining("where you are"),
      expect.not.stringContaining("nexus_user"),
    ]);
    expect(await readUser()).toBe("ada");
  });

  test("stays where the server, of an earlier version, does not tell it", async () => {
    const { url } = startStandIn(certificate);
    await addAs(url, "a token");
    writeSettings(`${readSettings().trimEnd()}\nnexus_user = "ann"\n`);
    expect((await addAs(url, "a token")).exitCode).toBe(0);
    expect(readSettings()).toContain('nexus_user = "ann"\n');
  });

  test.each(["a\nb", "", "x".repeat(65), "\u001b[31m"])("is not taken over where it can be none: %j", async (name) => {
    const { url } = startStandIn(certificate, () => Response.json({ ...STATUS, you: { name, role: "user" } }));
    expect((await addAs(url, "a token")).stdout).toEndWith(`at ${url}.\n`);
    expect(readSettings()).not.toContain("nexus_user");
  });

  test("is that of a user of the server's machine where no token is needed, but for an admin, who may be anybody", async () => {
    const you = { name: "ann", role: "user" };
    const { port } = startStandIn(null, () => Response.json({ ...STATUS, you }));
    const url = `http://127.0.0.1:${port}`;
    const added = await nx(["target", "add", "mine", url, "--json"]);
    expect(JSON.parse(added.stdout)).toEqual({ name: "mine", url, certificate_fingerprint: null, user: "ann" });
    you.role = "admin";
    const own = await nx(["target", "add", "own", url, "--json"]);
    expect(JSON.parse(own.stdout)).toMatchObject({ user: null });
  });
});

describe("a pinned certificate", () => {
  test("that has changed is refused with both fingerprints, and no token is sent", async () => {
    const first = startStandIn(certificate);
    expect((await addLab(first.url)).exitCode).toBe(0);
    expect(first.tokens).toEqual([`Bearer ${TOKEN}`]);
    await first.stop();
    const other = makeCertificate(folder, "thief");
    const second = startStandIn(other, undefined, first.port);
    const queue = await nx(["queue", "-t", "lab"]);
    expect([queue.exitCode, queue.stdout, second.tokens]).toEqual([1, "", []]);
    expect(queue.stderr).toContain(`pinned:    ${certificate.fingerprint}\n  presented: ${other.fingerprint}\n`);
  });

  test.each([
    ["a pinned one", true],
    ["one that an authority must vouch for", false],
  ])("is checked also where the environment forbids it: %s", async (_which, isPinned) => {
    const thief = startStandIn(makeCertificate(folder, "thief"), () => Response.json([]));
    const pin = isPinned ? `certificate_fingerprint = "${certificate.fingerprint}"\n` : "";
    writeSettings(`[targets.lab]\nhost = "127.0.0.1"\nport = ${thief.port}\napi_token = "${TOKEN}"\n${pin}`);
    const queue = await nx(["queue", "-t", "lab"], "", { NODE_TLS_REJECT_UNAUTHORIZED: "0" });
    expect([queue.exitCode === 0, queue.stdout, thief.tokens]).toEqual([false, "", []]);
  });

  test("that is missing on this machine is fetched again when the fingerprint is the pinned one", async () => {
    const server = startStandIn(certificate, () => Response.json([]));
    writeSettings(
      `[targets.lab]\nhost = "127.0.0.1"\nport = ${server.port}\ncertificate_fingerprint = "${certificate.fingerprint}"\n`,
    );
    expect((await nx(["queue", "-t", "lab"])).stderr).toContain("repeat the command");
    expect((await nx(["queue", "-t", "lab"])).exitCode).toBe(0);
  });

  test("that was edited in the file is not believed", async () => {
    const server = startStandIn(certificate);
    await addLab(server.url);
    writeSettings(readSettings().replace(certificate.fingerprint, Array(32).fill("AB").join(":")));
    const queue = await nx(["queue", "-t", "lab"]);
    expect([queue.exitCode, server.tokens.length]).toEqual([1, 1]);
    expect(queue.stderr).toContain("has changed");
  });

  test("that is not the expected one is refused at once", async () => {
    const server = startStandIn(makeCertificate(folder, "thief"));
    const added = await addLab(server.url);
    expect([added.exitCode, server.tokens]).toEqual([1, []]);
    expect(added.stderr).toContain(`expected:  ${certificate.fingerprint}\n`);
    expect(readSettings).toThrow();
  });
});

describe("a pinned certificate of an authority that this machine knows", () => {
  test("is taken, and another one of the same authority for the same place is not: it gets no token", async () => {
    const authority = makeCertificate(folder, "authority");
    const trusting = { NODE_EXTRA_CA_CERTS: authority.cert };
    const [own, imposter] = [signCertificate(folder, "own", authority), signCertificate(folder, "imposter", authority)];
    const first = startStandIn(own, () => Response.json([]));
    writeSettings(
      `[targets.lab]\nhost = "127.0.0.1"\nport = ${first.port}\napi_token = "${TOKEN}"\ncertificate_fingerprint = "${own.fingerprint}"\n`,
    );
    expect((await nx(["queue", "-t", "lab", "--json"], "", trusting)).stdout).toBe("[]\n");
    await first.stop();
    const second = startStandIn(imposter, undefined, first.port);
    const queue = await nx(["queue", "-t", "lab"], "", trusting);
    expect([queue.exitCode, queue.stdout, second.tokens]).toEqual([1, "", []]);
    expect(queue.stderr).toContain(`pinned:    ${own.fingerprint}\n  presented: ${imposter.fingerprint}\n`);
  });
});

const listenSilently = (): Promise<Server> => {
  const { promise, resolve } = Promise.withResolvers<Server>();
  const server: Server = createServer((socket) => {
    socket.on("error", () => undefined).end("220 hello\r\n");
  });
  cleanUps.push(() => server.close());
  server.listen(0, "127.0.0.1", () => resolve(server));
  return promise;
};

const portOf = (server: Server): number => {
  const address = server.address();
  return typeof address === "object" ? (address?.port ?? 0) : 0;
};

test("a server that never answers is given up on", async () => {
  const server: Server = createServer();
  const { promise, resolve } = Promise.withResolvers<void>();
  server.listen(0, "127.0.0.1", resolve);
  await promise;
  try {
    expect(await fetchCertificate({ host: "127.0.0.1", port: portOf(server) }, 50)).toEqual({
      ok: false,
      error: "ETIMEDOUT",
    });
    expect(explainCode("ETIMEDOUT")).toContain("did not answer in time");
  } finally {
    server.close();
  }
});

const openSocket = (port: number, pin: Pin): Promise<string> => {
  const { promise, resolve } = Promise.withResolvers<string>();
  const socket = new WebSocket(`wss://127.0.0.1:${port}/`, { tls: pin });
  socket.onopen = () => resolve("open");
  socket.onerror = () => resolve("refused");
  return promise.finally(() => socket.close());
};

const serveSocket = ({ key, cert }: CertificateFiles): number => {
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    tls: { key: readFileSync(key), cert: readFileSync(cert) },
    fetch: (request, self) => (self.upgrade(request) ? undefined : new Response("no socket")),
    websocket: { message: () => undefined },
  });
  cleanUps.push(() => server.stop(true));
  return server.port ?? 0;
};

const pinOf = ({ cert }: CertificateFiles): Pin => createPin(readCertificate(readFileSync(cert)));

test("a WebSocket takes the pinned certificate and no other", async () => {
  const port = serveSocket(certificate);
  expect(await openSocket(port, pinOf(certificate))).toBe("open");
  expect(await openSocket(port, pinOf(makeCertificate(folder, "thief")))).toBe("refused");
});

test("a WebSocket takes the pinned certificate of a known authority and no other of it", async () => {
  const authority = makeCertificate(folder, "authority");
  const [own, imposter] = [signCertificate(folder, "own", authority), signCertificate(folder, "imposter", authority)];
  const ca = readFileSync(authority.cert, "utf8");
  expect(await openSocket(serveSocket(own), { ...pinOf(own), ca })).toBe("open");
  expect(await openSocket(serveSocket(imposter), { ...pinOf(own), ca })).toBe("refused");
});

describe("variables", () => {
  const writeTwo = (port: number): void =>
    writeSettings(
      ["a", "b"]
        .map(
          (name) =>
            `[targets.${name}]\nprotocol = "http"\nhost = "127.0.0.1"\nport = ${port}\napi_token = "of-${name}"\n`,
        )
        .join("\n"),
    );

  const answer = (): Response => Response.json([]);

  test("give the target of NEXUS_TARGET a token, and no other", async () => {
    const { port, tokens } = startStandIn(null, answer);
    writeTwo(port);
    await nx(["queue"], "", { NEXUS_TARGET: "a", NEXUS_TARGET_API_TOKEN: "given" });
    await nx(["queue", "-t", "b"], "", { NEXUS_TARGET: "a", NEXUS_TARGET_API_TOKEN: "given" });
    await nx(["queue", "-t", "b"], "", { NEXUS_API_TOKEN: "given" });
    expect(tokens).toEqual(["Bearer given", "Bearer of-b", "Bearer of-b"]);
  });

  test("that can't be meant are named in a line, and the target is asked all the same", async () => {
    const { port, tokens } = startStandIn(null, answer);
    writeTwo(port);
    const link = "tcp://10.43.0.4:8081";
    const asked = await nx(["queue", "-t", "b"], "", { NEXUS_PORT: link, NEXUS_HOST: "nexus.invalid", NS_PORT: link });
    expect([asked.exitCode, tokens]).toEqual([0, ["Bearer of-b"]]);
    const named = asked.stderr.split("\n").filter((line) => line.includes("passed over"));
    expect(named.map((line) => line.split(" ")[0])).toEqual(["NEXUS_HOST", "NEXUS_PORT"]);
    expect(asked.stderr).not.toMatch(/tcp:|nexus\.invalid/);
    const local = await nx(["queue"], "", { NS_PORT: link, NS_SERVER_DIR: join(folder, "server") });
    expect([local.exitCode, local.stderr]).toEqual([3, expect.stringContaining("NS_PORT is passed over")]);
  });

  test("change nothing of what nx target list shows, and nothing in the file", async () => {
    const { port } = startStandIn(null);
    writeTwo(port);
    const more = { NEXUS_TARGET: "a", NEXUS_TARGET_HOST: "nexus.invalid", NEXUS_HOST: "nexus.invalid" };
    expect((await nx(["target", "list"], "", more)).stdout).not.toContain("nexus.invalid");
    expect((await nx(["target", "add", "a", `http://127.0.0.1:${port}`], "", more)).exitCode).toBe(0);
    expect(readSettings()).not.toContain("nexus.invalid");
  });
});

test("a token does not follow to where a server would send it", async () => {
  const elsewhere = startStandIn(null);
  const asked = startStandIn(certificate, () => Response.redirect(`http://127.0.0.1:${elsewhere.port}/`));
  const added = await addLab(asked.url);
  expect([added.exitCode, elsewhere.tokens]).toEqual([1, []]);
  expect(added.stderr).toContain("not a Nexus server");
});

describe("an address that does not work is told in clear words, and nothing is written", () => {
  const add = (url: string): Promise<Finished> => nx(["target", "add", "lab", url, "-y", "--token-stdin"], "wrong\n");

  const refuse = (): Response =>
    Response.json({ error: "INVALID_CREDENTIALS", message: "no", status_code: 401 }, { status: 401 });

  const mistakes: readonly (readonly [string, () => Promise<string>, number, RegExp])[] = [
    ["nothing listens", async () => "https://127.0.0.1:1", 3, /nothing listens there/],
    ["no such name", async () => "https://no-such-host.invalid", 3, /no machine of that name/],
    ["no TLS", async () => `https://127.0.0.1:${portOf(await listenSilently())}`, 3, /does not speak TLS/],
    ["HTTP", async () => `https://127.0.0.1:${startStandIn(null).port}`, 3, /does not speak TLS/],
    ["a wrong token", async () => startStandIn(certificate, refuse).url, 4, /token is wrong/],
    ["a web page", async () => startStandIn(certificate, () => new Response("<p>hi")).url, 1, /not a Nexus server/],
    ["other JSON", async () => startStandIn(certificate, () => Response.json({})).url, 1, /not a Nexus server/],
    [
      "another API",
      async () => startStandIn(certificate, () => Response.json({ detail: "?" }, { status: 404 })).url,
      1,
      /not a Nexus server/,
    ],
  ];

  test.each(mistakes)("%s", async (_what, prepare, exitCode, words) => {
    const added = await add(await prepare());
    expect([added.exitCode, added.stdout]).toEqual([exitCode, ""]);
    const told = added.stderr.split("\n").filter((line) => line.startsWith("nx: "));
    expect(told).toEqual([expect.stringMatching(words)]);
    expect(readSettings).toThrow();
  });

  test.each([
    [["add", "lab"], /name and an address/],
    [["add", "lab", "gpu-box:54323"], /is it https:\/\/gpu-box:54323\?/],
    [["add", "lab", "ssh://ada:secret@box"], /leave the password out/],
    [["add", "lab", "ssh://box/nexus"], /ends with its port/],
    [["add", "lab", "ssh://ada@-oProxyCommand=id"], /no name for ssh/],
    [["add", "lab", "ssh://-lroot@box"], /no name for ssh/],
    [["add", "lab", "ssh://box:0"], /from 1 to 65535/],
    [["add", "lab", "ssh://box", "--server-at", "x"], /--server-at is "x"/],
    [["add", "lab", "https://box", "--server-at", "1"], /is for ssh/],
    [["add", "lab", "ftp://box"], /is like https/],
    [["add", "lab", "http://box"], /http would send the token unprotected/],
    [["add", "lab", "https://ada:secret@box"], /leave the password out/],
    [["add", "lab", "https://box/nexus"], /ends with its port/],
    [["add", "local", "https://box"], /means something already/],
    [["add", "a b", "https://box"], /letters, digits/],
    [["add", "lab", "https://box", "more"], /does not take "more"/],
    [["lsit"], /did you mean list\?/],
    [["remove"], /name is missing/],
    [["remove", "local"], /always there/],
  ] as const)("wrong usage: nx target %j", async (words, told) => {
    const finished = await nx(["target", ...words]);
    expect([finished.exitCode, finished.stdout, finished.stderr]).toEqual([2, "", expect.stringMatching(told)]);
  });

  test.each([[["lob"]], [["remove", "lob"]]])("nx target %j names a target that there is not", async (words) => {
    const finished = await nx(["target", ...words]);
    expect([finished.exitCode, finished.stdout]).toEqual([5, ""]);
    expect(finished.stderr).toBe('nx: there is no target "lob"; there are: local\n');
  });

  test("without a terminal the certificate and the token need a flag", async () => {
    const { url } = startStandIn(certificate);
    const unseen = await nx(["target", "add", "lab", url]);
    expect([unseen.exitCode, unseen.stderr]).toEqual([2, expect.stringContaining("--fingerprint")]);
    const silent = await nx(["target", "add", "lab", url, "-y"]);
    expect([silent.exitCode, silent.stderr]).toEqual([2, expect.stringContaining("--token-stdin")]);
    expect((await nx(["target", "add", "lab", url, "-y"], "", { NEXUS_API_TOKEN: TOKEN })).exitCode).toBe(0);
  });

  test("a target of this machine needs neither certificate nor token", async () => {
    const { port } = startStandIn(null);
    expect((await nx(["target", "add", "mine", `http://127.0.0.1:${port}`])).exitCode).toBe(0);
    expect(readSettings()).not.toContain("api_token");
  });

  test("a token would not travel over http that was written into the file by hand", async () => {
    writeSettings('[targets.lab]\nhost = "gpu-box"\nprotocol = "http"\napi_token = "x"\n');
    const queue = await nx(["queue", "-t", "lab"]);
    expect([queue.exitCode, queue.stderr]).toEqual([1, expect.stringContaining("use https")]);
  });

  test.each(['port = "x"', 'server_at = "nexus.sock"', 'server_at = "/tmp/a:b"', "server_at = 0"])(
    "a place that is none is told: %j",
    async (place) => {
      writeSettings(`[targets.lab]\nprotocol = "ssh"\nhost = "box"\n${place}\n`);
      const queue = await nx(["queue", "-t", "lab"]);
      expect([queue.exitCode, queue.stderr]).toEqual([1, expect.stringContaining('of the target "lab"')]);
    },
  );

  test.each(['host = "-oProxyCommand=id"', 'host = "box"\nuser = "-oProxyCommand=id"'])(
    "options in the place of names of ssh are refused: %j",
    async (names) => {
      writeSettings(`[targets.lab]\nprotocol = "ssh"\n${names}\n`);
      const queue = await nx(["queue", "-t", "lab"]);
      expect([queue.exitCode, queue.stderr]).toEqual([1, expect.stringContaining("is no name for ssh")]);
    },
  );

  test("a broken file stays as it is", async () => {
    const broken = 'user = "ada\n';
    writeSettings(broken);
    const chosen = await nx(["target", "local"]);
    expect([chosen.exitCode, chosen.stderr]).toEqual([1, expect.stringContaining("config.toml, line 1: ")]);
    expect(readSettings()).toBe(broken);
  });
});
