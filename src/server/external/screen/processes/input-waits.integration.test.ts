import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { readlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { canBeOthers } from "../../../../../tests/support/as-user.ts";
import {
  adoptForDisposal,
  type Bench,
  createBench,
  createStartingJob,
  launchJob,
  listProcessesOf,
  readJobFile,
} from "../../../../../tests/support/screen-bench.ts";
import { waitUntil } from "../../../../../tests/support/wait.ts";
import type { RunningJob } from "../../../core/jobs/job.ts";
import { nameExactly } from "../screen-folder.ts";
import { seemsToReadTerminal } from "./blocked-call.ts";
import { asksInSecret, createInputWaits } from "./input-waits.ts";

let bench: Bench;

beforeEach(() => {
  bench = createBench();
});

afterEach(() => bench.dispose());

const start = (command: string): Promise<RunningJob> => launchJob(bench, createStartingJob({ command }));

const findMark = async (job: RunningJob): Promise<string | undefined> =>
  (await createInputWaits(bench.serverDir)([job])).get(job.id);

const isIn = (name: string) => (pid: number) =>
  spawnSync("cat", [`/proc/${pid}/comm`], { encoding: "utf8" }).stdout.trim() === name;

const awaitProgram = (job: RunningJob, name: string): Promise<void> =>
  waitUntil(() => listProcessesOf(job.id).some(isIn(name)), `${name} runs`);

const type = (job: RunningJob, text: string): void => {
  if (job.handle.kind === "screen") spawnSync("screen", ["-S", nameExactly(job.handle), "-X", "stuff", text]);
};

const POLLING = `python3 -c "
import select, sys
print('up', flush=True)
while True: select.select([sys.stdin], [], [], 0.2)"`;

const READING_BESIDE_WORK = `python3 -c "
import sys, threading, time
threading.Thread(target=sys.stdin.readline, daemon=True).start()
print('up', flush=True)
time.sleep(600)"`;

const ALSO_A_SOCKET = `python3 -c "
import select, socket, sys
one, other = socket.socketpair()
print('up', flush=True)
select.select([sys.stdin, one], [], [])"`;

const LOOP_OF_EVENTS = `python3 -c "
import asyncio, sys
loop = asyncio.new_event_loop()
loop.add_reader(0, sys.stdin.readline)
print('up', flush=True)
loop.run_forever()"`;

const LOOP_WITH_CONNECTION = `python3 -c "
import asyncio, socket, sys
loop = asyncio.new_event_loop()
one, other = socket.socketpair()
loop.add_reader(0, sys.stdin.readline)
loop.add_reader(one, print)
print('up', flush=True)
loop.run_forever()"`;

const RECEIVING = `python3 -c "
import socket
one, other = socket.socketpair()
print('up', flush=True)
one.recv(1)"`;

const POLL = `python3 -c "
import select
one = select.poll()
one.register(0, select.POLLIN)
print('up', flush=True)
one.poll()"`;

describe("a job whose program waits for input from its terminal", () => {
  test.each([
    ["reads", "cat", "cat"],
    ["asks", "read -p 'sure? '", "bash"],
    ["asks in secret", "read -s -p 'password: '", "bash"],
    ["asks by /dev/tty, with its standard input elsewhere", "cat /dev/tty < /dev/null", "cat"],
    ["stands in a pipeline", "cat | sort", "sort"],
    ["is a REPL", "python3 -q", "python3"],
    ["is a shell", "bash --norc -i", "bash"],
    ["is a debugger", "python3 -c 'breakpoint()'", "python3"],
    ["polls without end", POLL, "python3"],
    ["is a loop of events", LOOP_OF_EVENTS, "python3"],
    ["is a pager", "less /etc/passwd", "less"],
  ])("as it %s is found", async (_how, command, program) => {
    const job = await start(command);
    await awaitProgram(job, program);
    await waitUntil(async () => (await findMark(job)) !== undefined, "it is found");
  });

  test.each([
    ["sleeps", "echo up; sleep 600"],
    ["works", "echo up; while :; do :; done"],
    ["reads of a pipe", "echo up; sleep 600 | cat"],
    ["polls it now and then", POLLING],
    ["reads it beside its work", READING_BESIDE_WORK],
    ["waits for a socket too", ALSO_A_SOCKET],
    ["is a loop of events with a connection", LOOP_WITH_CONNECTION],
    ["reads of another terminal of its own", "echo up; script -q -c 'sleep 600' /dev/null"],
  ])("but not as it %s", async (_how, command) => {
    const job = await start(command);
    await waitUntil(() => readJobFile(bench, job, "output.log").includes("\nup"), "it is up");
    for (let look = 0; look < 20; look += 1) expect(await findMark(job)).toBeUndefined();
  });

  test("has another mark once it was answered, also where it waits again", async () => {
    const job = await start("echo up; while read -r line; do :; done");
    await waitUntil(() => readJobFile(bench, job, "output.log").includes("\nup"), "it is up");
    await waitUntil(async () => (await findMark(job)) !== undefined, "it is found");
    const before = await findMark(job);
    expect(await findMark(job)).toBe(before);
    type(job, "words\n");
    await waitUntil(async () => ![undefined, before].includes(await findMark(job)), "the mark is another");
  });

  test("is found by another server, that did not launch it, as by its own", async () => {
    const job = await start("cat");
    await waitUntil(async () => (await findMark(job)) !== undefined, "it is found");
    const script = join(bench.serverDir, "look.ts");
    const [module, given] = [join(import.meta.dirname, "input-waits.ts"), JSON.stringify(job)];
    writeFileSync(
      script,
      `import { createInputWaits } from ${JSON.stringify(module)};
console.log((await createInputWaits(${JSON.stringify(bench.serverDir)})([${given}])).size);`,
    );
    expect(spawnSync(process.execPath, [script], { encoding: "utf8" }).stdout.trim()).toBe("1");
  });

  test("that is gone is not found", async () => {
    const job = await start("cat");
    await waitUntil(async () => (await findMark(job)) !== undefined, "it is found");
    type(job, "\u0004");
    await waitUntil(async () => (await findMark(job)) === undefined, "it is found no more");
    adoptForDisposal(job.id);
  });
});

describe("where the kernel does not tell in what a process is blocked", () => {
  const looks = (job: RunningJob, name: string): boolean =>
    listProcessesOf(job.id)
      .filter(isIn(name))
      .some((pid) => seemsToReadTerminal(pid, readlinkSync(`/proc/${pid}/fd/2`)));

  test("one that reads its terminal is found", async () => {
    const job = await start("cat");
    await awaitProgram(job, "cat");
    await waitUntil(() => looks(job, "cat"), "it is found");
  });

  test.each([
    ["sleeps", "echo up; sleep 600", "sleep"],
    ["reads of a pipe", "echo up; sleep 600 | cat", "cat"],
    ["reads of a connection", RECEIVING, "python3"],
  ])("one that %s is not", async (_how, command, name) => {
    const job = await start(command);
    await waitUntil(() => readJobFile(bench, job, "output.log").includes("\nup"), "it is up");
    await awaitProgram(job, name);
    for (let look = 0; look < 20; look += 1) expect(looks(job, name)).toBe(false);
  });
});

test.skipIf(!canBeOthers)("a program of somebody else is found while it asks for a password", async () => {
  const hidden = "stty -echo; echo up; setpriv --reuid 65533 --clear-groups cat";
  const job = await start(hidden);
  await awaitProgram(job, "cat");
  const [pid = 0] = listProcessesOf(job.id).filter(isIn("cat"));
  const terminal = readlinkSync(`/proc/${pid}/fd/0`);
  expect([await asksInSecret(terminal), await asksInSecret("/dev/null")]).toEqual([true, false]);
});
