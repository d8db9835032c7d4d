import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { WireJob } from "../../../src/wire/job.ts";
import { type Finished, NX, runProgram } from "../../support/programs.ts";
import { waitUntil } from "../../support/wait.ts";
import { createWorld, type World } from "../../support/world.ts";

let world: World;

beforeAll(async () => {
  world = await createWorld();
  await world.startServer();
});

afterAll(() => world.dispose());

const readJobs = async (query: string): Promise<readonly WireJob[]> =>
  (await (await fetch(`${world.url}/v1/jobs?${query}`)).json()) as readonly WireJob[];

afterEach(async () => {
  for (const { id } of await readJobs("status=queued")) await fetch(`${world.url}/v1/jobs/${id}`, { method: "DELETE" });
  for (const { id } of await readJobs("status=running"))
    await fetch(`${world.url}/v1/jobs/${id}/kill`, { method: "POST" });
  await waitUntil(async () => (await readJobs("status=queued&status=running")).length === 0, "no job is left");
});

const nx = (words: readonly string[], cwd?: string): Promise<Finished> => world.nx(words, cwd);

const nxWith = (env: NodeJS.ProcessEnv, words: readonly string[]): Promise<Finished> =>
  runProgram([NX, ...words], { env: { ...world.env, ...env }, cwd: world.home });

const RECORDER = "script";
const QUESTION = "[y/N]";
const QUESTION_WITH_YES = "[Y/n]";

const countQuestions = (text: string): number => (text.match(/\[(?:y\/N|Y\/n)\]/g) ?? []).length;

const nxOnTerminal = (line: string, env: NodeJS.ProcessEnv = {}, answer = "n"): Promise<Finished> => {
  const { promise, resolve } = Promise.withResolvers<Finished>();
  const command = `stty cols 80 rows 24; ${line.replace(/^nx/, `'${NX}'`)}`;
  const child = spawn(RECORDER, ["-qec", command, "/dev/null"], {
    env: { ...world.env, TERM: "xterm", ...env },
    cwd: world.home,
  });
  let stdout = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    const before = countQuestions(stdout);
    stdout += text;
    if (countQuestions(stdout) > before) child.stdin.write(`${answer}\n`);
  });
  child.on("close", (exitCode, signal) => resolve({ exitCode, signal, stdout, stderr: "" }));
  return promise;
};

const createRepository = async (): Promise<string> => {
  const folder = mkdtempSync(join(world.folder, "project-"));
  mkdirSync(join(folder, "sub"));
  writeFileSync(join(folder, "main.sh"), "echo committed\n");
  writeFileSync(join(folder, "sub", "here"), "");
  await world.git(["init", "--quiet"], folder);
  await world.git(["add", "--all"], folder);
  await world.git(["commit", "--quiet", "-m", "one"], folder);
  return folder;
};

const addOne = async (...words: readonly string[]): Promise<string> =>
  (await nx(["add", "-q", "--no-git", ...words])).stdout.trim();

const holdGpus = async (): Promise<string> => {
  const id = await addOne("-g", "2", "sleep 60");
  await world.waitFor(id, ["running"]);
  return id;
};

describe("standard output has results and nothing else", () => {
  test("every verb's --json is one document, -q is ids", async () => {
    const holder = await holdGpus();
    const waiting = await addOne("true");
    const done = await addOne("-c", "true");
    await world.waitFor(done);
    const verbs = [
      ["--json"],
      ["status", "--json"],
      ["queue", "--json"],
      ["history", "--json"],
      ["get", waiting, "--json"],
      ["logs", done, "--json"],
      ["edit", waiting, "-p", "3", "--json"],
      ["health", "--json"],
      ["blacklist", "list", "--json"],
      ["version", "--json"],
      ["add", "--json", "--no-git", "-c", "true"],
      ["run", "--json", "--no-git", "-c", "true"],
    ];
    for (const words of verbs) {
      const { exitCode, stdout, stderr } = await nx(words);
      expect([words, exitCode, stderr]).toEqual([words, 0, ""]);
      expect(typeof JSON.parse(stdout)).toBe("object");
    }
    await waitUntil(async () => (await readJobs("status=queued")).length === 1, "the CPU jobs have started");
    expect((await nx(["queue", "-q"])).stdout).toBe(`${waiting}\n`);
    expect(JSON.parse((await nx(["remove", "-y", "--json", waiting])).stdout)).toEqual({ removed: [waiting] });
    expect(JSON.parse((await nx(["kill", "-y", "--json", holder])).stdout)).toEqual({ killed: [holder] });
  });

  test("an empty queue and history say so on standard error", async () => {
    const queue = await nx(["queue"]);
    expect([queue.exitCode, queue.stdout, queue.stderr]).toEqual([0, "", "The queue is empty.\n"]);
    const history = await nx(["history", "-u", "nobody-else"]);
    expect([history.exitCode, history.stdout, history.stderr]).toEqual([0, "", "No such job has ended yet.\n"]);
  });

  test("help of every kind is a result", async () => {
    for (const words of [
      ["help"],
      ["-h"],
      ["--help"],
      ["help", "run"],
      ["run", "-h"],
      ["-t", "local", "help", "run"],
    ]) {
      const help = await nx(words);
      expect([words, help.exitCode, help.stderr]).toEqual([words, 0, ""]);
      expect(help.stdout).toContain("nx run");
    }
    expect((await nx(["help", "rnu"])).exitCode).toBe(2);
  });
});

test.each([
  ["", 0, 2],
  ["y", 0, 2],
  ["n", 1, 0],
] as const)(
  "nx add on a terminal asks before more than one, and takes %j for an answer",
  async (answer, code, count) => {
    await holdGpus();
    const asked = await nxOnTerminal("nx add --no-git 'echo {1,2}'", {}, answer);
    expect(asked.stdout).toContain(`Add 2 jobs? ${QUESTION_WITH_YES}`);
    expect(asked.exitCode).toBe(code);
    expect(JSON.parse((await nx(["queue", "--json"])).stdout)).toHaveLength(count);
  },
);

test.each([
  ["y", ["echo a:1", "echo b:2"]],
  ["n", ["echo '{a:1,b:2}'"]],
] as const)(
  "nx add on a terminal asks of a list that may be a part of a program, and %j decides",
  async (answer, commands) => {
    await holdGpus();
    const asked = await nxOnTerminal("nx add --no-git echo '{a:1,b:2}'", {}, answer);
    expect(asked.stdout).toContain(`Make a job for each part of {a:1,b:2}? ${QUESTION}`);
    const queue: readonly WireJob[] = JSON.parse((await nx(["queue", "--json"])).stdout);
    expect(queue.map(({ command }) => command)).toEqual([...commands]);
  },
);

test.each([
  ["y", 0, 1],
  ["n", 1, 0],
] as const)(
  "nx add on a terminal asks of flags after a quoted command, and takes %j for an answer",
  async (answer, code, count) => {
    await holdGpus();
    const asked = await nxOnTerminal("nx add --no-git 'echo a' -g 1", {}, answer);
    expect(asked.stdout).toContain("Did you mean: nx add -g 1 'echo a' ?");
    expect(asked.exitCode).toBe(code);
    expect(JSON.parse((await nx(["queue", "--json"])).stdout)).toHaveLength(count);
  },
);

describe("a destructive verb", () => {
  test("in a pipe needs -y, and never takes an empty word for everything", async () => {
    const holder = await holdGpus();
    const waiting = await addOne("sleep 61");
    for (const words of [
      ["kill", holder],
      ["remove", waiting],
      ["kill", "-y", ""],
      ["remove", "-y", ""],
    ]) {
      const refused = await nx(words);
      expect([words, refused.exitCode, refused.stdout]).toEqual([words, 2, ""]);
    }
    expect((await world.job(holder)).marked_for_kill).toBe(false);
    expect((await world.job(waiting)).status).toBe("queued");
  });

  test.each([
    ["n", 1, "running"],
    ["", 1, "running"],
    ["y", 0, "killed"],
  ] as const)("on a terminal asks, and takes %j for an answer", async (answer, exitCode, status) => {
    const holder = await holdGpus();
    const asked = await nxOnTerminal(`nx kill ${holder}`, {}, answer);
    expect(asked.stdout).toContain(`Kill this job? ${QUESTION}`);
    expect(asked.exitCode).toBe(exitCode);
    expect((await world.waitFor(holder, [status])).marked_for_kill).toBe(status === "killed");
  });

  test("without a word kills the user's newest, and says so when there is none", async () => {
    const none = await nx(["kill", "-y"]);
    expect([none.exitCode, none.stderr]).toEqual([5, "nx: no job of tester is running\n"]);
    const holder = await holdGpus();
    expect((await nx(["kill", "-y", "-q"])).stdout).toBe(`${holder}\n`);
    expect((await world.waitFor(holder)).status).toBe("killed");
  });
});

describe("tables", () => {
  const nasty = "echo '\u001b[2J\u0007' '日本語 🙂' $(true)\necho two";

  test("show control characters escaped, in a pipe whole and in plain text", async () => {
    await holdGpus();
    await addOne(`${nasty} ${"x".repeat(200)}`);
    const { stdout } = await nxWith({ NO_COLOR: undefined }, ["queue"]);
    expect(stdout).toContain(`\\x1b[2J\\x07' '日本語 🙂' $(true)\\necho two ${"x".repeat(200)}\n`);
    expect(stdout.replaceAll("\n", "")).not.toMatch(/\p{Cc}/u);
    expect(stdout.trimEnd().split("\n")).toHaveLength(2);
  });

  test("fit 80 columns of a terminal and are coloured there, unless NO_COLOR says no", async () => {
    await holdGpus();
    await world.submit({ command: `${nasty} ${"日".repeat(200)}`, user: "a-user-with-a-very-long-name-indeed" });
    expect((await nxOnTerminal("nx", { NO_COLOR: undefined })).stdout).toContain("\u001b[1m");
    const plain = await nxOnTerminal("nx");
    expect(plain.stdout).not.toContain("\u001b[");
    expect(plain.stdout).toContain("a-user-with-a-");
    const lines = plain.stdout.split(/\r?\n/).filter((line) => !line.startsWith("Warning: "));
    for (const line of lines) expect(Bun.stringWidth(line)).toBeLessThanOrEqual(80);
  });

  test("are coloured in a pipe with FORCE_COLOR, and NO_COLOR wins over it", async () => {
    expect((await nxWith({ NO_COLOR: undefined, FORCE_COLOR: "1" }, [])).stdout).toContain("\u001b[1m");
    expect((await nxWith({ NO_COLOR: "1", FORCE_COLOR: "1" }, [])).stdout).not.toContain("\u001b");
    expect((await nxWith({ NO_COLOR: undefined }, [])).stdout).not.toContain("\u001b");
  });
});

describe("the code", () => {
  test("that is dirty is what runs, where the user stands, and the same tree is sent once", async () => {
    const folder = await createRepository();
    writeFileSync(join(folder, "main.sh"), "echo dirty; basename $PWD\n");
    const run = await nx(["run", "-c", "bash", "../main.sh"], join(folder, "sub"));
    expect([run.exitCode, run.stdout]).toEqual([0, "bash ../main.sh\ndirty\nsub\n"]);
    await holdGpus();
    for (const _round of [1, 2]) await nx(["add", "-q", "true"], folder);
    const [first, second] = await readJobs("status=queued");
    expect(first?.artifact_id).not.toBeNull();
    expect(second?.artifact_id).toBe(first?.artifact_id ?? "");
  });

  test("runs where the user stands also where git sees no file", async () => {
    const folder = await createRepository();
    writeFileSync(join(folder, ".gitignore"), "*'s results\n");
    mkdirSync(join(folder, "ada's results", "new"), { recursive: true });
    const run = await nx(["run", "-c", "ls -1 --quoting-style=literal .. ../.."], join(folder, "ada's results", "new"));
    expect([run.exitCode, run.stdout]).toEqual([
      0,
      expect.stringContaining("\n..:\nnew\n\n../..:\nada's results\nmain.sh\nsub\n"),
    ]);
  });

  test("shows how much of it is sent on a terminal, and a line elsewhere", async () => {
    const folder = await createRepository();
    const size = 3 * 1024 * 1024;
    writeFileSync(join(folder, "large"), randomBytes(size));
    const shown = await nxOnTerminal(`cd '${folder}' && '${NX}' add -q -c 'wc -c < large'`);
    expect(shown.stdout).toMatch(/\rSending the code: 3\.0 of 3\.0 MiB\r?\n/);
    const id = shown.stdout.trim().split("\n").at(-1)?.trim() ?? "";
    await world.waitFor(id, ["completed"]);
    expect((await nx(["logs", id])).stdout).toEndWith(`\n${size}\n`);
    writeFileSync(join(folder, "large"), randomBytes(size));
    expect((await nx(["add", "-q", "-c", "true"], folder)).stderr).toBe("Sending the code (3.0 MiB) …\n");
    expect((await nx(["add", "-q", "-c", "true"], folder)).stderr).toBe("");
  });

  test("that is too large once committed is refused with its largest files", async () => {
    const folder = await createRepository();
    writeFileSync(join(folder, "huge"), "");
    truncateSync(join(folder, "huge"), 51 * 1024 * 1024);
    await world.git(["add", "--all"], folder);
    await world.git(["commit", "--quiet", "-m", "two"], folder);
    const added = await nx(["add", "true"], folder);
    expect([added.exitCode, added.stdout]).toEqual([1, ""]);
    expect(added.stderr).toMatch(/^nx: .*51\.0 MiB of files, at most 50 MiB can travel.*: huge \(51\.0 MiB\), /);
  });

  test("is not sent with --dry-run, which submits nothing", async () => {
    const dry = await nx(["add", "--dry-run", "-r", "2", "echo", "{a,b}"], await createRepository());
    expect(dry.exitCode).toBe(0);
    const shown = JSON.parse(dry.stdout) as readonly WireJob[];
    expect(shown.map(({ command }) => command)).toEqual(["echo a", "echo b", "echo a", "echo b"]);
    expect(await readJobs("status=queued&status=running")).toEqual([]);
    expect((await nx(["run", "--dry-run", "true"])).exitCode).toBe(0);
  });
});

const startFollowing = async (words: readonly string[], text: string): Promise<readonly [ChildProcess, string[]]> => {
  const child = spawn(NX, words, { env: world.env, cwd: world.home, stdio: ["ignore", "pipe", "pipe"] });
  const errors: string[] = [];
  let shown = "";
  child.stderr.on("data", (data: Buffer) => errors.push(data.toString()));
  child.stdout.on("data", (data: Buffer) => {
    shown += data.toString();
  });
  await waitUntil(() => shown.includes(text), `${text} is shown`);
  return [child, errors];
};

describe("following", () => {
  test("shows each line as it comes, and is left with Ctrl-C, which ends with 130; the job goes on", async () => {
    const [child, errors] = await startFollowing(["run", "--no-git", "-c", "echo begun; sleep 60"], "\nbegun\n");
    const [job] = await readJobs("status=running");
    const ended = new Promise((resolve) => child.once("exit", (code) => resolve(code)));
    child.kill("SIGINT");
    expect(await ended).toBe(130);
    expect(errors.join("")).toContain(`nx logs -F ${job?.id}`);
    expect((await world.job(job?.id ?? "")).status).toBe("running");
  });

  test("of the newest job, of the last lines, and of a GPU's", async () => {
    const id = await addOne("-i", "1", "seq 1 50; sleep 60");
    await world.waitFor(id, ["running"]);
    await waitUntil(async () => (await nx(["logs"])).stdout.endsWith("\n50\n"), "the log is there");
    expect((await nx(["logs", "-n", "2", "1"])).stdout).toBe("49\n50\n");
    const [child] = await startFollowing(["logs", "-F", "-n", "3", id], "50\n");
    const ended = new Promise((resolve) => child.once("exit", (code) => resolve(code)));
    await nx(["kill", "-y", id]);
    expect(await ended).toBe(143);
  });

  test("a waiting client ends with the first failure's code", async () => {
    const ids = [await addOne("-c", "exit 0"), await addOne("-c", "exit 5"), await addOne("-c", "exit 6")];
    expect((await nx(["wait", ...ids])).exitCode).toBe(5);
    expect((await nx(["wait"])).exitCode).toBe(0);
    expect((await nx(["wait", "nosuchjob"])).exitCode).toBe(5);
  });
});

describe("nx run without a command", () => {
  test("is a shell, which needs a terminal or -d", async () => {
    const piped = await nx(["run", "--no-git", "-c"]);
    expect([piped.exitCode, piped.stdout]).toEqual([2, ""]);
    expect(piped.stderr).toContain("needs a terminal");
    const detached = await nx(["run", "-d", "-q", "--no-git", "-c"]);
    expect(detached.exitCode).toBe(0);
    expect((await world.waitFor(detached.stdout.trim(), ["running"])).command).toBe("exec bash -i");
  });
});

describe("words that name nothing", () => {
  test.each([
    [["get", "nosuchjob"], 5],
    [["get", ""], 2],
    [["wait", ""], 2],
    [["logs", "nosuchjob"], 5],
    [["logs", ""], 2],
    [["logs", "7"], 5],
    [["kill", "-y", "nosuchjob"], 5],
    [["kill", "-y", "("], 2],
    [["remove", "-y", "nosuchjob"], 5],
    [["edit", "nosuchjob", "-p", "1"], 5],
    [["blacklist", "add", "99"], 5],
    [["attach"], 2],
    [["add", "--no-git", "-i", "0,0", "true"], 2],
    [["add", "--no-git", "-n", "discord", "phone", "true"], 2],
  ] as const)("%j ends with %d and one line", async (words, exitCode) => {
    const refused = await nx(words);
    expect([refused.exitCode, refused.stdout]).toEqual([exitCode, ""]);
    expect(refused.stderr).toMatch(/^nx: [^\n]+\n$/);
  });
});
