import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { checkAbility } from "../../support/ability.ts";
import { createPipedNx, createUserEnvironment } from "../../support/piped-nx.ts";
import { NX } from "../../support/programs.ts";
import { openTmux, type TmuxTerminal } from "../../support/tmux-terminal.ts";
import { waitUntil } from "../../support/wait.ts";

const JOBS = [
  { id: "run111", status: "running", command: "python3 train.py\tlr" },
  { id: "que222", status: "queued", command: "sleep 1" },
  { id: "end333", status: "failed", command: "false" },
];
const GPUS = [
  { index: 0, name: "Mock GPU 0", running_job_id: "run111" },
  { index: 1, name: "Mock GPU 1", running_job_id: null },
];

type StandIn = Readonly<{ port: number | undefined; stop: (closeConnections: boolean) => Promise<void> }>;

let home: string;
let server: StandIn;

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "nexus-completion-"));
  mkdirSync(join(home, ".nexus"));
  mkdirSync(join(home, "bin"));
  symlinkSync(NX, join(home, "bin", "nx"));
  writeFileSync(join(home, ".nexus", "config.toml"), '[targets.lab]\nhost = "box"\n');
  server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch: (request) => {
      const { pathname, searchParams } = new URL(request.url);
      const statuses = searchParams.getAll("status");
      return Response.json(pathname === "/v1/gpus" ? GPUS : JOBS.filter(({ status }) => statuses.includes(status)));
    },
  });
});

afterEach(async () => {
  await server.stop(true);
  rmSync(home, { recursive: true, force: true });
});

const nx = createPipedNx(() => home);

const complete = async (...words: readonly string[]): Promise<readonly string[]> => {
  const { exitCode, stdout, stderr } = await nx(["__complete", ...words], "", { NS_PORT: String(server.port) });
  expect([exitCode, stderr]).toEqual([0, ""]);
  return stdout.split("\n").flatMap((line) => (line === "" ? [] : [line.split("\t")[0] ?? ""]));
};

describe("what is completed", () => {
  test.each([
    [["que"], ["queue"]],
    [["co"], ["code", "config", "completion"]],
    [["help", "hist"], ["history"]],
    [
      ["queue", "--js"],
      ["--json", "--jsonl"],
    ],
    [
      ["run", "--gpu"],
      ["--gpu-idxs", "--gpus", "--gpu-type"],
    ],
    [
      ["-t", ""],
      ["local", "lab"],
    ],
    [["queue", "--target=la"], ["--target=lab"]],
    [["queue", "--target", "=", "la"], ["lab"]],
    [
      ["add", "-n", ""],
      ["discord", "phone"],
    ],
    [
      ["run", "-i", ""],
      ["0", "1"],
    ],
    [["run", "-i", "0,"], ["0,1"]],
    [["run", "python3", "--js"], []],
    [
      ["get", ""],
      ["run111", "que222", "end333"],
    ],
    [
      ["kill", ""],
      ["run111", "0", "1"],
    ],
    [["kill", "run111", "0", ""], ["1"]],
    [["remove", ""], ["que222"]],
    [["--no-autostart", "wait", "q"], ["que222"]],
    [
      ["blacklist", ""],
      ["add", "remove", "clear", "list"],
    ],
    [
      ["blacklist", "add", ""],
      ["0", "1"],
    ],
    [
      ["blacklist", "clear", ""],
      ["0", "1"],
    ],
    [
      ["target", "l"],
      ["local", "lab", "list"],
    ],
    [["target", "remove", "la"], ["lab"]],
    [["completion", "install", "z"], ["zsh"]],
    [["run", "--lin"], ["--link"]],
    [["run", "--link", ""], []],
    [["nonsense", ""], []],
  ] as const)("nx %j: %j", async (words, found) => {
    expect(await complete(...words)).toEqual([...found]);
  });

  test("a server that is away is no error, and none is started", async () => {
    const away = await nx(["__complete", "get", ""], "", { NS_PORT: "1", NEXUS_AUTOSTART: "true" });
    expect(away).toMatchObject({ exitCode: 0, stdout: "", stderr: "" });
  });

  test("a broken file is no error", async () => {
    writeFileSync(join(home, ".nexus", "config.toml"), "broken =\n");
    expect(await complete("-t", "")).toEqual(["local"]);
    expect(await complete("get", "")).toEqual([]);
  });
});

const START: Readonly<Record<string, readonly string[]>> = {
  bash: ["bash", "-i"],
  zsh: ["zsh", "-i"],
  fish: ["fish", "-i"],
};

const openShell = async (shell: string): Promise<TmuxTerminal> => {
  const path = `${join(home, "bin")}:${process.env["PATH"]}`;
  const env = { ...createUserEnvironment(home), PATH: path, NS_PORT: String(server.port), PS1: "ready> " };
  const terminal = await openTmux({ env, cwd: home, program: START[shell] ?? [] });
  terminal.type("echo $(echo on) and off");
  terminal.press("Enter");
  await terminal.waitFor(/^on and off/m);
  terminal.press("C-l");
  return terminal;
};

const askFor = async (terminal: TmuxTerminal, typed: string, shown: RegExp): Promise<void> => {
  terminal.type(typed);
  await terminal.waitFor(typed);
  terminal.press("Tab");
  await terminal.waitFor(shown);
  terminal.press("C-u");
  await waitUntil(() => !terminal.screen().includes(typed), "the line is empty");
};

describe.each(Object.keys(START))("in a real %s, after nx completion install", (shell) => {
  const canRunShell = checkAbility(Bun.which(shell) !== null, shell);

  test.skipIf(!canRunShell)("verbs, flags, targets, jobs and GPUs are completed", async () => {
    const first = await nx(["completion", "install", shell]);
    expect([first.exitCode, first.stderr]).toEqual([0, ""]);
    const terminal = await openShell(shell);
    try {
      await askFor(terminal, "nx hist", /nx history/);
      await askFor(terminal, "nx queue --js", /nx queue --json/);
      await askFor(terminal, "nx -t la", /nx -t lab/);
      await askFor(terminal, "nx get que", /nx get que222/);
      await askFor(terminal, "nx logs run", /nx logs run111/);
      await askFor(terminal, "nx run -i 0,", /nx run -i 0,1/);
      await askFor(terminal, "nx run cat .nexus/conf", /nx run cat \.nexus\/config\.toml/);
    } finally {
      terminal.close();
    }
  });
});

test("installing twice adds one line, and keeps the start file's mode and text", async () => {
  const start = join(home, ".bashrc");
  writeFileSync(start, "alias a=b", { mode: 0o644 });
  await nx(["completion", "install", "bash"]);
  await nx(["completion", "install"], "", { SHELL: "/bin/bash" });
  const script = join(home, ".nexus", "completion.bash");
  expect(readFileSync(start, "utf8")).toBe(`alias a=b\n[ -r "${script}" ] && . "${script}"\n`);
  expect(statSync(start).mode & 0o777).toBe(0o644);
});

test.each([
  [[], /takes bash, zsh, fish or install/],
  [["basj"], /did you mean bash\?/],
  [["install", "tcsh"], /./],
  [["bash", "x"], /takes nothing more/],
] as const)("wrong usage: nx completion %j", async (words, told) => {
  const finished = await nx(["completion", ...words]);
  expect([finished.exitCode, finished.stdout, finished.stderr]).toEqual([2, "", expect.stringMatching(told)]);
});
