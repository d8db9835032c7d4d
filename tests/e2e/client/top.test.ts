import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { VERSION, VERSION_HEADER } from "../../../src/base/version.ts";
import type { WireJob } from "../../../src/wire/job.ts";
import { NX, runProgram } from "../../support/programs.ts";
import { type StandIn, startStandIn } from "../../support/stand-ins/stand-in.ts";
import { openTmux, type TmuxTerminal } from "../../support/tmux-terminal.ts";
import { makeQueued, makeView } from "../../support/top-samples.ts";
import { waitUntil } from "../../support/wait.ts";
import { createWorld, type World } from "../../support/world.ts";

let world: World;

beforeEach(async () => {
  world = await createWorld();
});

afterEach(() => world.dispose());

const ESC = "\u001b";
const GIVEN_BACK = "icrnl icanon echo";

const writeScript = (line: string): string => {
  const path = join(world.folder, "watch.sh");
  const modes = `stty -a | tr ' ' '\\n' | grep -E '^-?(icanon|icrnl|echo)$' | tr '\\n' ' '`;
  writeFileSync(path, `(echo "$BASHPID" > "${world.folder}/pid"; exec ${line})\necho "ended $?"\n${modes}\n`);
  return path;
};

const readPid = (): number => Number(readFileSync(join(world.folder, "pid"), "utf8"));

const onTerminal = async (
  act: (terminal: TmuxTerminal) => Promise<void>,
  { env = {}, line = `'${NX}' top` }: Readonly<{ env?: NodeJS.ProcessEnv; line?: string }> = {},
): Promise<void> => {
  const terminal = await openTmux({ env: { ...world.env, ...env }, cwd: world.home });
  try {
    terminal.type(`bash '${writeScript(line)}'`);
    terminal.press("Enter");
    await act(terminal);
  } finally {
    terminal.close();
  }
};

const expectGivenBack = async (terminal: TmuxTerminal, code: number): Promise<void> => {
  const screen = await terminal.waitFor(new RegExp(`ended ${code}(.|\\n)*echo`));
  expect(screen.replaceAll(/\s+/g, " ")).toContain(GIVEN_BACK);
  expect(terminal.ask("#{alternate_on} #{cursor_flag} #{wrap_flag}")).toBe("0 1 1");
};

const submitThree = async (): Promise<readonly string[]> => {
  const command = "printf 'kept \\033[31mred\\033[2J\\033]0;title\\007 漢字\\n'; exec sleep 600";
  const jobs = [];
  for (const gpus of [1, 1, 2]) jobs.push(await world.submit({ command, num_gpus: gpus }));
  await world.waitFor(jobs[1]?.id ?? "", ["running"]);
  return jobs.map(({ id }) => id);
};

describe("on a terminal of 80 columns and 24 rows", () => {
  test("shows GPUs, jobs, queue and log, and changes them by keys", async () => {
    await world.startServer();
    const [first = "", second = "", waiting = ""] = await submitThree();
    await onTerminal(async (terminal) => {
      const screen = await terminal.waitFor("kept red 漢字");
      for (const text of ["Mock GPU 1", `${first} tester`, `>${second}`, ` ${waiting} `, "RUNNING 2", "QUEUED 1"])
        expect(screen).toContain(text);
      terminal.press("G", "p");
      await terminal.waitFor(`Priority of ${waiting}`);
      terminal.press("-", "7", "Enter");
      await terminal.waitFor(`Job ${waiting} has priority -7.`);
      terminal.press("g", "x");
      await terminal.waitFor(`Kill ${second} of tester? [y/N]`);
      terminal.press("n");
      await terminal.waitFor("Nothing was done.");
      terminal.press("x", "y");
      await terminal.waitFor("RUNNING 1");
      terminal.press("Enter");
      await terminal.waitFor(new RegExp(`${first}  running[^]*q back`));
      terminal.press("q");
      await terminal.waitFor("QUEUED 1");
      terminal.press("q");
      await expectGivenBack(terminal, 0);
    });
    expect((await world.waitFor(second)).status).toBe("killed");
    expect(await world.job(waiting)).toMatchObject({ status: "queued", priority: -7 });
  });

  test("shows what the GPUs of the selected job did lately", async () => {
    await world.startServer({ NS_REFRESH_RATE: "0.2" });
    const { id } = await world.submit({ command: "sleep 600", num_gpus: 1, gpu_idxs: [1] });
    await world.waitFor(id, ["running"]);
    writeFileSync(join(world.folder, "server", "mock-gpus.json"), JSON.stringify([{ index: 1, utilization: 60 }]));
    await onTerminal(async (terminal) => {
      await terminal.waitFor(new RegExp(`LOG ${id}  running  GPU +▅`));
      terminal.press("q");
      await expectGivenBack(terminal, 0);
    });
  });

  test("follows the window's size, and goes to the shell and comes back", async () => {
    await world.startServer();
    const terminal = await openTmux({ env: world.env, cwd: world.home });
    try {
      terminal.type(`'${NX}' top`);
      terminal.press("Enter");
      await terminal.waitFor("NAME");
      terminal.resize(50, 16);
      await terminal.waitFor(/\n GPU {5,}MEMORY(.|\n)*x kill/);
      terminal.resize(12, 5);
      await terminal.waitFor("too small");
      terminal.resize(120, 40);
      await terminal.waitFor(/ NAME (.|\n)*(\n.*){30}q quit/);
      terminal.press("C-z");
      await terminal.waitFor("Stopped");
      expect(terminal.ask("#{alternate_on} #{cursor_flag} #{wrap_flag}")).toBe("0 1 1");
      terminal.type("fg");
      terminal.press("Enter");
      await terminal.waitFor("QUEUED 0");
      terminal.press("?");
      await terminal.waitFor("Ctrl-L");
      terminal.press("Escape", "C-c");
      await terminal.waitFor("Stopped");
      terminal.type('echo "ended $?"');
      terminal.press("Enter");
      await terminal.waitFor("ended 130");
    } finally {
      terminal.close();
    }
  });
});

describe("the terminal is given back", () => {
  test.each([
    ["SIGTERM", 143],
    ["SIGINT", 130],
    ["SIGHUP", 129],
  ] as const)("after %s", async (signal, code) => {
    await world.startServer();
    await onTerminal(async (terminal) => {
      await terminal.waitFor("QUEUED 0");
      process.kill(readPid(), signal);
      await expectGivenBack(terminal, code);
    });
  });
});

const startSpeaker = (say: () => unknown, queued: readonly WireJob[] = []): StandIn =>
  startStandIn(({ path, query }) => {
    const view = makeView({ queued });
    const headers = { [VERSION_HEADER]: VERSION };
    if (query.get("status") === "queued") return { status: 200, body: JSON.stringify(queued), headers };
    const answers: Readonly<Record<string, unknown>> = { "/v1/server/status": view.status, "/v1/gpus": say() };
    return { status: 200, body: JSON.stringify(answers[path] ?? []), headers };
  });

describe("a server in trouble", () => {
  test("is told of while the last figures stay, and a mistake is told after the terminal is given back", async () => {
    let gpus: unknown = makeView().gpus;
    const server = startSpeaker(() => gpus);
    try {
      const test = async (terminal: TmuxTerminal): Promise<void> => {
        await terminal.waitFor("A100");
        server.failAlways({ kind: "garbage" });
        expect(await terminal.waitFor("not as a Nexus server would")).toContain("A100");
        server.failAlways(null);
        await terminal.waitFor("12 ended");
        gpus = [null];
        expect(await terminal.waitFor("unexpected: TypeError")).not.toContain("A100");
        await expectGivenBack(terminal, 1);
      };
      await onTerminal(test, { env: { NS_PORT: new URL(server.url).port } });
    } finally {
      await server.stop();
    }
  });

  test("one that hangs is told of, and keeps nobody from leaving, not even in the middle of a change", async () => {
    const server = startSpeaker(() => makeView().gpus, [makeQueued("p2q8zz")]);
    try {
      const act = async (terminal: TmuxTerminal): Promise<void> => {
        await terminal.waitFor(">p2q8zz");
        const asked = server.requests.length;
        await waitUntil(() => server.requests.length > asked + 8, "it has asked twice more");
        server.failAlways({ kind: "hang" });
        terminal.press("x", "y");
        await terminal.waitFor("no answer for");
        await waitUntil(() => server.requests.some(({ method }) => method === "DELETE"), "the change is sent");
        terminal.press("q");
        await expectGivenBack(terminal, 0);
      };
      await onTerminal(act, { env: { NS_PORT: new URL(server.url).port } });
    } finally {
      await server.stop();
    }
  });

  test("one that is not there is told in one line, as by other verbs", async () => {
    await onTerminal(async (terminal) => expectGivenBack(terminal, 3), { line: `'${NX}' top --no-autostart` });
  });
});

describe("what is sent to the terminal", () => {
  test("is drawn whole once, then only where it changes; with NO_COLOR it bears none", async () => {
    await world.startServer();
    const [, second = "", waiting = ""] = await submitThree();
    const record = async (name: string, env: NodeJS.ProcessEnv): Promise<string> => {
      const path = join(world.folder, name);
      const act = async (terminal: TmuxTerminal): Promise<void> => {
        await terminal.waitFor(`>${second}`);
        terminal.press("G");
        await terminal.waitFor(`>${waiting}`);
        terminal.press("q");
        await terminal.waitFor("ended 0");
      };
      await onTerminal(act, { env, line: `script -qec "'${NX}' top" '${path}'` });
      return readFileSync(path, "utf8");
    };
    const plain = await record("plain", {});
    expect(plain.split("\u001b[2J")).toHaveLength(2);
    expect(plain.split("MEMORY")).toHaveLength(2);
    expect(plain).not.toMatch(new RegExp(`${ESC}\\[[1-9][0-9;]*m`));
    expect(await record("coloured", { NO_COLOR: undefined })).toContain("\u001b[7m>");
  });
});

test("without a terminal it says in one line what to do, and ends with 2", async () => {
  const ended = await runProgram([NX, "top"], { env: world.env, cwd: world.home });
  expect(ended).toMatchObject({ exitCode: 2, stdout: "" });
  expect(ended.stderr.trim().split("\n")).toEqual([expect.stringContaining("nx --json")]);
});
