import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import type { WireJob } from "../../../src/wire/job.ts";
import { ECHOING_JOB } from "../../support/echoing-job.ts";
import { listProcessesWith, NX, stopChild } from "../../support/programs.ts";
import { createTmux, type Tmux, type Window } from "../../support/tmux.ts";
import { waitUntil } from "../../support/wait.ts";
import { createWorld, type World } from "../../support/world.ts";

let world: World;
let tmux: Tmux;

beforeEach(async () => {
  world = await createWorld();
  tmux = createTmux(world, NX);
});

afterEach(async () => {
  tmux.dispose();
  await world.dispose();
});

const enter = (window: Window, line: string): void => {
  window.type(line);
  window.press("Enter");
};

const startJob = async (command: string): Promise<WireJob> => {
  const { id } = await world.submit({ command, num_gpus: 0 });
  return world.waitFor(id, ["running"]);
};

const count = (from: number, to: number): readonly string[] =>
  Array.from({ length: to - from + 1 }, (_value, index) => String(from + index));

const detach = (window: Window): void => window.press("C-a", "d");

describe("nx run on a terminal", () => {
  test("is attached, and shows at the end the last output, how the job ended, and ends as it did", async () => {
    await world.startServer();
    const window = await tmux.openWindow();
    enter(window, "nx run --no-git 'seq 1 60; read word; echo last $word; exit 3'; echo code $?");
    await window.see(/^60$/m);
    enter(window, "words");
    await window.see(/^code 3$/m);
    expect(window.read()).toMatch(/^59\n60\nwords\nlast words\nJob \w+ failed with exit code 3 .*\ncode 3$/m);
    enter(window, "nx run --no-git 'echo quick'; echo code $?");
    await window.see(/^code 0$/m);
    expect(window.read()).toMatch(/^quick\nJob \w+ completed with exit code 0/m);
  });

  test("leaves in what can be scrolled back each line once, in order, and nothing of its own machinery", async () => {
    await world.startServer();
    const window = await tmux.openWindow();
    enter(
      window,
      "nx run --no-git 'echo ready; read go; seq 1 60; read word; seq 61 90; printf unfinished'; echo code $?",
    );
    await window.see(/^ready$/m);
    enter(window, "go");
    await window.see(/^60$/m);
    enter(window, "on");
    await window.see(/^code 0$/m);
    const [, shown = ""] = window.readAll().split(/^ready\ngo\n/m);
    const wanted = [...count(1, 60), "on", ...count(61, 90), "unfinished"].join("\n");
    expect(shown).toStartWith(`${wanted}\nJob `);
    expect(window.readAll()).not.toContain("terminating");
  });

  test("a short one leaves no blank lines, nor does detaching", async () => {
    await world.startServer();
    const window = await tmux.openWindow();
    enter(window, "nx run --no-git 'echo one; read word'; echo code $?");
    await window.see(/^one$/m);
    enter(window, "two");
    await window.see(/^one\ntwo\nJob \w+ completed .*\ncode 0$/m);
    enter(window, "clear; nx run --no-git 'echo first; sleep 300'; echo code $?");
    await window.see(/^first$/m);
    detach(window);
    await window.see(/^first\nDetached; .*\ncode 0$/m);
    expect(window.readAll()).not.toContain("[detached");
    enter(window, "clear; nx run --no-git 'printf half; sleep 300'; echo code $?");
    await window.see(/^half$/m);
    detach(window);
    await window.see(/^half\nDetached; .*\ncode 0$/m);
  });

  test("detaches with Ctrl-A D, says how to come back, and the terminal is as it was", async () => {
    await world.startServer();
    const window = await tmux.openWindow();
    enter(window, "before=$(stty -g); nx run --no-git 'echo hello; sleep 300'; echo code $?");
    await window.see(/^hello$/m);
    detach(window);
    await window.see(/^code 0$/m);
    const [, id = ""] = /Detached; job (\w+) goes on/.exec(window.read()) ?? [];
    expect(window.read()).toContain(`nx attach ${id}`);
    expect((await world.job(id)).status).toBe("running");
    enter(window, '[ "$(stty -g)" = "$before" ] && echo unchanged');
    await window.see(/^unchanged$/m);
  });

  test("without a command is a shell on the GPUs, whose exit is the job's", async () => {
    await world.startServer();
    const window = await tmux.openWindow();
    enter(window, "nx run --no-git -g 2 -e COLOUR=blue; echo code $?");
    await window.see(/repo[$#]$/m);
    enter(window, "(echo gpus $CUDA_VISIBLE_DEVICES $COLOUR; exec sleep 100)");
    await window.see(/^gpus 0,1 blue$/m);
    window.press("C-c");
    enter(window, "exit 3");
    await window.see(/^code 3$/m);
    expect(window.read()).toContain("failed with exit code 3");
  });
});

describe("nx attach", () => {
  test("follows the window's size, and two see the same, of whom one that watches can't type", async () => {
    await world.startServer();
    const job = await startJob(ECHOING_JOB);
    const [typing, watching] = [await tmux.openWindow(), await tmux.openWindow()];
    enter(typing, `nx attach ${job.id}`);
    await typing.see("now 24 80");
    typing.resize(100, 30);
    await typing.see("now 30 100");
    expect(typing.read()).toContain('\n  size=$(stty size)\n  [ "$size"');
    enter(watching, `nx attach --watch ${job.id}; echo code $?`);
    await watching.see("now 30 100");
    enter(watching, "forbidden");
    watching.resize(60, 15);
    enter(typing, "allowed");
    await watching.see("got allowed");
    expect(typing.read()).not.toMatch(/forbidden|now 15/);
    detach(watching);
    await watching.see(/^code 0$/m);
    detach(typing);
    await typing.see("Detached");
    expect((await world.job(job.id)).status).toBe("running");
  });

  test("lets the terminal's own wheel scroll back, through what came while attached", async () => {
    await world.startServer();
    const job = await startJob("read word; seq 1 100; sleep 300");
    const window = await tmux.openWindow();
    enter(window, `nx attach ${job.id}`);
    await window.see(/^read word/m);
    enter(window, "on");
    await window.see(/^100$/m);
    expect(window.ask("#{alternate_on} #{mouse_any_flag}")).toBe("0 0");
    expect(window.readAll()).toContain(`\n${count(1, 100).join("\n")}\n`);
    detach(window);
    await window.see("Detached");
  });

  test("comes back by itself when the server is killed and started again", async () => {
    const server = await world.startServer();
    const job = await startJob(ECHOING_JOB);
    const window = await tmux.openWindow();
    enter(window, "nx attach -t local 2>/dev/null");
    await window.see("now 24 80");
    await stopChild(server, "SIGKILL");
    await window.see("The connection broke");
    await world.startServer();
    await waitUntil(() => !window.read().includes("The connection broke"), "the note is gone");
    enter(window, "back");
    await window.see("got back");
    await world.post(`/v1/jobs/${job.id}/kill`, {});
    await window.see(/^\$$/m);
  });

  test("gives the terminal back when it is ended by a signal, and says why it can't attach", async () => {
    await world.startServer();
    const job = await startJob("sleep 300");
    const window = await tmux.openWindow();
    enter(window, `export MARK=yes; before=$(stty -g); nx attach ${job.id}; echo code $?`);
    await window.see("Detach with Ctrl-A D");
    await window.see(/^sleep 300$/m);
    const [client] = listProcessesWith("MARK=yes");
    process.kill(Number(client), "SIGTERM");
    await window.see(/^code 143$/m);
    enter(window, '[ "$(stty -g)" = "$before" ] && echo unchanged');
    await window.see(/^unchanged$/m);
    const { id } = await world.submit({ command: "true", num_gpus: 0 });
    await world.waitFor(id);
    enter(window, `clear; nx attach ${id}; echo code $?`);
    await window.see(/is completed; see its output with nx logs[^$]*code 6$/m);
  });
});
