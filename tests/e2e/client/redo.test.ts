import { Database } from "bun:sqlite";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import type { WireJob } from "../../../src/wire/job.ts";
import type { Finished } from "../../support/programs.ts";
import { createWorld, endJobs, type World } from "../../support/world.ts";

let world: World;

beforeAll(async () => {
  world = await createWorld();
  await world.git(["init", "--quiet"], world.folder);
  await world.startServer();
});

afterAll(() => world.dispose());

afterEach(async () => {
  await endJobs(world.url);
  rmSync(join(world.home, ".nexus"), { recursive: true, force: true });
});

const createRepository = async (): Promise<string> => {
  const folder = mkdtempSync(join(world.folder, "project-"));
  mkdirSync(join(folder, "src"));
  writeFileSync(join(folder, "src", "main.sh"), "echo one\n", { mode: 0o755 });
  symlinkSync("src/main.sh", join(folder, "link"));
  await world.git(["init", "--quiet", "--initial-branch=main"], folder);
  await world.git(["add", "--all"], folder);
  await world.git(["commit", "--quiet", "-m", "one"], folder);
  return folder;
};

const writeOwn = (name: string, text: string): void => {
  mkdirSync(join(world.home, ".nexus"), { recursive: true });
  writeFileSync(join(world.home, ".nexus", name), text);
};

const nx = async (words: readonly string[], cwd = world.home): Promise<Finished> => world.nx(words, cwd);

const succeed = async (words: readonly string[], cwd?: string): Promise<string> => {
  const { exitCode, stderr, stdout } = await nx(words, cwd);
  expect([exitCode, exitCode === 0 ? "" : stderr]).toEqual([0, ""]);
  return stdout.trim();
};

const addOne = async (words: readonly string[], cwd: string): Promise<WireJob> =>
  world.waitFor(await succeed(["add", "-q", ...words], cwd));

const redoOne = async (words: readonly string[]): Promise<WireJob> =>
  world.waitFor(await succeed(["redo", "-q", ...words]));

const readLog = (id: string): Promise<string> => succeed(["logs", id]);

const countJobs = async (): Promise<number> =>
  ((await (await fetch(`${world.url}/v1/jobs?limit=10000`)).json()) as readonly WireJob[]).length;

const forgetCode = ({ artifact_id: id }: WireJob): void => {
  const db = new Database(join(String(world.env["NS_SERVER_DIR"]), "jobs.db"));
  db.exec("pragma busy_timeout = 5000");
  db.query("update artifacts set is_complete = 0 where id = ?").run(id);
  db.close();
};

const SAME = [
  ...(["command", "artifact_id", "git_tree", "git_commit", "git_dirty", "git_branch", "workdir", "jobrc"] as const),
  ...(["num_gpus", "requested_gpu_idxs", "env_names", "priority", "integrations", "notifications"] as const),
];

const choose = (job: WireJob) => Object.fromEntries(SAME.map((name) => [name, job[name]]));

describe("what a job ran", () => {
  test("is told with it, and in its environment", async () => {
    const folder = await createRepository();
    await world.git(["remote", "add", "origin", "https://ann:secret@example.org/r.git"], folder);
    const show =
      'echo "$NEXUS_GIT_COMMIT $NEXUS_GIT_BRANCH $NEXUS_GIT_DIRTY $WANDB_GIT_COMMIT $WANDB_GIT_REMOTE_URL"; pwd; git status 2>&1';
    const clean = await addOne(["-c", show], join(folder, "src"));
    const commit = (await world.git(["rev-parse", "HEAD"], folder)).stdout.trim();
    const tree = (await world.git(["rev-parse", "HEAD^{tree}"], folder)).stdout.trim();
    expect(clean).toMatchObject({
      git_commit: commit,
      git_tree: tree,
      git_dirty: false,
      git_branch: "main",
      workdir: "src",
      jobrc: null,
    });
    const log = await readLog(clean.id);
    expect(log).toContain(`${commit} main 0 ${commit} https://example.org/r.git`);
    expect(log).toContain(`/jobs/${clean.id}/repo/src\n`);
    expect(log).toContain("not a git repository");
    writeFileSync(join(folder, "new"), "");
    const dirty = await addOne(["-c", "-e", "WANDB_GIT_COMMIT=mine", show], folder);
    expect(dirty).toMatchObject({ git_commit: commit, git_dirty: true, workdir: null });
    expect(await readLog(dirty.id)).toContain(`${commit} main 1 mine `);
    const shown = await succeed(["get", dirty.id]);
    expect(shown).toContain(`${commit} with changes`);
    expect(shown).toContain(`${dirty.git_tree}`);
    expect(shown).toMatch(/^env +WANDB_GIT_COMMIT$/m);
  });
});

describe("nx redo", () => {
  test("runs the same again, and a redo of a redo too, whatever has become of the folder since", async () => {
    const folder = await createRepository();
    writeOwn(".jobrc", "export FROM_JOBRC=1\n");
    writeOwn(".env", "A=before\nOTHER=x\n");
    const words = ["-i", "1", "-p", "3", "-e", "B=given", 'sh main.sh; echo "$A $B $FROM_JOBRC {1,2}"'];
    const first = await addOne(words.with(-1, words.at(-1)?.replace("{1,2}", "\\{1,2\\}") ?? ""), join(folder, "src"));
    writeFileSync(join(folder, "src", "main.sh"), "echo changed\n");
    writeOwn(".jobrc", "export FROM_JOBRC=changed\n");
    writeOwn(".env", "A=after\nOTHER=y\nNEW=z\n");
    const second = await redoOne([first.id, "-e", "B=again"]);
    expect(choose(second)).toEqual(choose(first));
    expect(await readLog(second.id)).toEndWith("one\nafter again 1 {1,2}");
    const third = await redoOne(["-e", "B=again", second.id]);
    expect(choose(third)).toEqual(choose(first));
  });

  test("asks for nothing but a free GPU where the first did not, though it had one", async () => {
    const first = await addOne(["--no-git", "true"], world.home);
    expect([first.gpu_idxs.length, first.requested_gpu_idxs]).toEqual([1, []]);
    expect((await redoOne([first.id])).requested_gpu_idxs).toEqual([]);
  });

  test("takes another command and other flags, and several jobs", async () => {
    const folder = await createRepository();
    const first = await addOne(["-c", "sh src/main.sh"], folder);
    const [a, b] = (await succeed(["redo", "-y", "-q", first.id, "-g", "1", "--", "echo", "{a,b}"])).split("\n");
    const [changed, other] = [await world.waitFor(a ?? ""), await world.waitFor(b ?? "")];
    expect([changed.command, other.command, changed.num_gpus]).toEqual(["echo a", "echo b", 1]);
    expect(changed.git_tree).toBe(first.git_tree);
    const both = (await succeed(["redo", "-y", "-q", "-r", "2", first.id, changed.id])).split("\n");
    const again = await Promise.all(both.map((id) => world.waitFor(id)));
    expect(again.map(({ command }) => command)).toEqual([first.command, first.command, "echo a", "echo a"]);
  });

  test("submits nothing while a variable has no value, and names it, unless it is left out", async () => {
    const first = await addOne(["--no-git", "-c", "-e", "TOKEN=t", "-e", "SEED=1", "true"], world.home);
    const before = await countJobs();
    const refused = await nx(["redo", first.id, "-e", "SEED=2"]);
    expect([refused.exitCode, refused.stdout]).toEqual([2, ""]);
    expect(refused.stderr).toBe(
      `nx: job ${first.id} had the variable TOKEN, with no value in your files now; give it with -e NAME=VALUE, or leave it out with --without NAME\n`,
    );
    expect((await nx(["redo", first.id])).stderr).toContain("SEED, TOKEN");
    expect((await nx(["redo", first.id, "--without", "TOKNE"])).exitCode).toBe(2);
    expect(await countJobs()).toBe(before);
    expect((await redoOne([first.id, "-e", "SEED=2", "--without", "TOKEN"])).env_names).toEqual(["SEED"]);
    expect((await redoOne([first.id, "-e", "SEED=2", "-e", "TOKEN=", "-e", "MORE=1"])).env_names).toEqual([
      "MORE",
      "SEED",
      "TOKEN",
    ]);
  });

  test("says with its own exit code that a job or its code is not there, and submits nothing", async () => {
    const folder = await createRepository();
    const first = await addOne(["-c", "true"], folder);
    const before = await countJobs();
    expect(await nx(["redo", first.id, "nothere"])).toMatchObject({
      exitCode: 5,
      stderr: "nx: There is no job nothere\n",
    });
    forgetCode(first);
    const gone = await nx(["redo", "-y", first.id, first.id]);
    expect(gone).toMatchObject({ exitCode: 6, stdout: "" });
    expect(gone.stderr).toContain(
      `the code of job ${first.id} is no longer kept; send it anew with nx add, from a checkout of ${first.git_commit}`,
    );
    expect((await nx(["code", first.id])).exitCode).toBe(6);
    expect(await countJobs()).toBe(before);
  });

  test("keeps of its files what the first kept, unless a flag chooses", async () => {
    const words = ["-c", "--outputs", "src/*.txt", "--outputs", "!**/b.txt", "touch a.txt b.txt c; touch ../d.txt"];
    const first = await addOne(words, join(await createRepository(), "src"));
    const second = await redoOne([first.id]);
    expect([first.output_globs, second.output_globs]).toEqual(Array(2).fill(["src/*.txt", "!**/b.txt"]));
    expect(await succeed(["files", second.id, "-q"])).toBe("src/a.txt");
    const third = await redoOne([second.id, "--no-outputs"]);
    expect([third.output_globs, (await redoOne([third.id])).output_globs]).toEqual([[], []]);
    expect(await succeed(["diff", second.id, third.id])).toContain("outputs\n- src/*.txt !**/b.txt\n+ none");
    expect((await redoOne([third.id, "--outputs", "c"])).output_globs).toEqual(["c"]);
    expect((await nx(["redo", first.id, "--no-outputs", "--outputs", "c"])).exitCode).toBe(2);
  });

  test("shows what it would submit, without values", async () => {
    const first = await addOne(["--no-git", "-c", "-e", "TOKEN=hidden", "true"], world.home);
    const shown = await succeed(["redo", "--dry-run", first.id, "-e", "TOKEN=hidden"]);
    expect(JSON.parse(shown)).toMatchObject([{ command: "true", num_gpus: 0, env: ["TOKEN"], workdir: null }]);
    expect(shown).not.toContain("hidden");
  });

  test.each([[["redo"]], [["redo", "--", "true"]]])("%j is wrong usage", async (words) => {
    expect((await nx(words)).exitCode).toBe(2);
  });

  test("needs a command after --", async () => {
    const first = await addOne(["--no-git", "-c", "true"], world.home);
    for (const end of [[], [" "]]) expect((await nx(["redo", first.id, "--", ...end])).exitCode).toBe(2);
  });
});

describe("nx code", () => {
  test("gives back what was sent, once more into the same folder, and never over what differs", async () => {
    const folder = await createRepository();
    const first = await addOne(["-c", "true"], folder);
    const work = mkdtempSync(join(world.folder, "work-"));
    expect(await succeed(["code", first.id], work)).toBe(`The code of job ${first.id} is in nexus-code/${first.id}`);
    const target = join(work, "nexus-code", first.id);
    expect(readdirSync(target).toSorted()).toEqual(["link", "src"]);
    expect(readFileSync(join(target, "link"), "utf8")).toBe("echo one\n");
    await succeed(["code", first.id], work);
    writeFileSync(join(target, "src", "main.sh"), "mine");
    const refused = await nx(["code", "-o", target, first.id], work);
    expect(refused).toMatchObject({ exitCode: 1, stdout: "" });
    expect(refused.stderr).toContain(`${target}/src/main.sh`);
    expect(readFileSync(join(target, "src", "main.sh"), "utf8")).toBe("mine");
    expect(await succeed(["code", "-f", "-q", "-o", target, first.id], work)).toBe(target);
    expect(readFileSync(join(target, "src", "main.sh"), "utf8")).toBe("echo one\n");
    expect(readdirSync(work)).toEqual(["nexus-code"]);
    expect(readdirSync(join(work, "nexus-code")).toSorted()).toEqual([".gitignore", first.id].toSorted());
    expect(readFileSync(join(work, "nexus-code", ".gitignore"), "utf8")).toBe("*\n");
  });

  test("writes nothing where there is no job, no code or no room for it", async () => {
    const without = await addOne(["--no-git", "-c", "true"], world.home);
    const work = mkdtempSync(join(world.folder, "work-"));
    expect(await nx(["code", "nothere"], work)).toMatchObject({ exitCode: 5, stderr: "nx: There is no job nothere\n" });
    expect(await nx(["code", without.id], work)).toMatchObject({ exitCode: 6 });
    writeFileSync(join(work, "file"), "");
    const folder = await createRepository();
    const first = await addOne(["-c", "true"], folder);
    expect(await nx(["code", "-o", "file", first.id], work)).toMatchObject({ exitCode: 1, stdout: "" });
    expect(readdirSync(work)).toEqual(["file"]);
  });
});

describe("nx diff", () => {
  test("tells command, code, names of variables and flags apart", async () => {
    const folder = await createRepository();
    const first = await addOne(["-c", "-e", "SEED=1", "sh src/main.sh"], folder);
    writeFileSync(join(folder, "src", "main.sh"), "echo two\u001b[2J\n");
    chmodSync(join(folder, "src", "main.sh"), 0o755);
    const second = await addOne(["-c", "-p", "2", "-e", "LR=1", "sh -x src/main.sh"], join(folder, "src"));
    const told = await succeed(["diff", first.id, second.id]);
    expect(told).toContain("command\n- sh src/main.sh\n+ sh -x src/main.sh\n");
    expect(told).toContain("variables\n- SEED\n+ LR\n");
    expect(told).toContain("priority\n- 0\n+ 2\n");
    expect(told).toContain("workdir\n+ src\n");
    expect(told).toContain(`--- ${first.id}/src/main.sh\n+++ ${second.id}/src/main.sh\n`);
    expect(told).toContain("-echo one\n+echo two");
    const { differences, patch } = JSON.parse(await succeed(["diff", "--json", first.id, second.id]));
    expect(differences).toContainEqual({ kind: "variables", name: "variables", a: "SEED", b: "LR" });
    expect(patch).toContain("+echo two");
    const again = await redoOne([first.id, "-e", "SEED=7"]);
    expect(await succeed(["diff", first.id, again.id])).toBe("Command, code, variables and flags are the same.");
    forgetCode(second);
    const gone = await nx(["diff", first.id, second.id]);
    expect(gone).toMatchObject({
      exitCode: 0,
      stderr: `The code of job ${second.id} is no longer kept, so no file can be compared.\n`,
    });
    expect(gone.stdout).toContain(`tree\n- ${first.git_tree}\n+ ${second.git_tree}\n`);
  });

  test("takes a job without code for one with an empty folder, and knows no other job", async () => {
    const folder = await createRepository();
    const [first, without] = [
      await addOne(["-c", "true"], folder),
      await addOne(["--no-git", "-c", "true"], world.home),
    ];
    expect(await succeed(["diff", without.id, first.id])).toContain("+echo one");
    expect((await nx(["diff", first.id, "nothere"])).exitCode).toBe(5);
    expect((await nx(["diff", first.id])).exitCode).toBe(2);
  });
});
