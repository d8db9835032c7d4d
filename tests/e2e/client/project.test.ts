import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import {
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import type { WireJob } from "../../../src/wire/job.ts";
import { canBeOthers } from "../../support/as-user.ts";
import type { Finished } from "../../support/programs.ts";
import { createWorld, endJobs, type World } from "../../support/world.ts";

const NOBODY = 65_534;

let world: World;
let folder: string;

beforeAll(async () => {
  world = await createWorld();
  await world.startServer();
});

afterAll(() => world.dispose());

afterEach(async () => {
  await endJobs(world.url);
  rmSync(join(world.home, ".nexus"), { recursive: true, force: true });
});

const write = (name: string, text: string, top = folder): void => {
  mkdirSync(join(top, name, ".."), { recursive: true });
  writeFileSync(join(top, name), text);
};

const createProject = async (text: string): Promise<void> => {
  folder = mkdtempSync(join(world.folder, "project-"));
  await world.git(["init", "--quiet", "--initial-branch=main"], folder);
  write(".nexus.toml", text);
  write(".gitignore", "data/\n.env\n");
  write("data/train.csv", "from the user's folder\n");
  write("src/main.sh", "echo one\n");
  await world.git(["add", "--all"], folder);
  await world.git(["commit", "--quiet", "-m", "one"], folder);
};

const succeed = async (words: readonly string[], cwd = folder): Promise<string> => {
  const { exitCode, stderr, stdout } = await world.nx(words, cwd);
  expect([exitCode, exitCode === 0 ? "" : stderr]).toEqual([0, ""]);
  return stdout.trim();
};

const add = async (words: readonly string[], cwd?: string): Promise<WireJob> =>
  world.waitFor(await succeed(["add", "-q", ...words], cwd));

const countJobs = async (): Promise<number> =>
  ((await (await fetch(`${world.url}/v1/jobs?limit=10000`)).json()) as readonly WireJob[]).length;

const refuse = async (words: readonly string[], cwd = folder): Promise<string> => {
  const before = await countJobs();
  const { exitCode, stdout, stderr }: Finished = await world.nx(words, cwd);
  expect([exitCode, stdout, await countJobs(), stderr.trim().split("\n").length]).toEqual([2, "", before, 1]);
  return stderr;
};

const readLog = (id: string): Promise<string> => succeed(["logs", id]);

const addLab = async (): Promise<void> => {
  const port = new URL(world.url).port;
  write(
    "config.toml",
    `[targets.lab]\nhost = "127.0.0.1"\nport = ${port}\nprotocol = "http"\n`,
    join(world.home, ".nexus"),
  );
};

describe("a project's file", () => {
  const FULL = `jobrc = "tools/rc.sh"
outputs = ["runs/**"]
link = ["data"]
gpus = 0
priority = 4
[env]
A = "project"
B = "project"
[target.lab]
gpus = 2
outputs = false
env = { B = "lab" }
`;

  test("says how its jobs run, from any of its folders and for each of many", async () => {
    await createProject(FULL);
    write("tools/rc.sh", "echo from this jobrc\n");
    write(".jobrc", "echo from my own jobrc\n", join(world.home, ".nexus"));
    const command =
      'pwd; cat "$OLDPWD/data/train.csv" || cat ../data/train.csv; mkdir -p ../runs; echo 1 > ../runs/a; echo 2 > ../b; echo $A {1,2}';
    const ids = (await succeed(["add", "-q", "-y", command], join(folder, "src"))).split("\n");
    for (const [index, id] of ids.entries()) {
      const job = await world.waitFor(id);
      expect(job).toMatchObject({
        num_gpus: 0,
        priority: 4,
        output_globs: ["runs/**"],
        workdir: "src",
        env_names: ["A", "B"],
      });
      expect(job.links).toEqual([{ path: "data", target: join(folder, "data") }]);
      const log = await readLog(id);
      expect(log).toContain("from this jobrc\n");
      expect(log).not.toContain("my own");
      expect(log).toEndWith(`from the user's folder\nproject ${index + 1}`);
      expect(await succeed(["files", "-q", id])).toBe("runs/a");
    }
    expect(await succeed(["get", ids[0] ?? ""])).toContain(`data -> ${join(folder, "data")}`);
  });

  test("gives way to flags and own files, and its part for a target wins over the rest", async () => {
    await createProject(FULL.replace('jobrc = "tools/rc.sh"\n', "jobrc = false\n"));
    await addLab();
    write(".jobrc", "echo from my own jobrc\n", join(world.home, ".nexus"));
    write(".env", "A=own\nMORE=$A${A}\n", join(world.home, ".nexus"));
    const show = 'echo "$A $B $C"';
    const local = await add([show]);
    expect(await readLog(local.id)).toBe(`${show}\nown project`);
    const lab = await add(["-t", "lab", "-e", "C=given", show]);
    expect(lab).toMatchObject({ num_gpus: 2, output_globs: [], priority: 4 });
    expect(await readLog(lab.id)).toBe(`${show}\nown lab given`);
    write(".env", "B=here\n");
    const flags = ["-t", "lab", "-c", "-p", "1", "--outputs", "x", "--no-link", "-e", "A=flag"];
    const given = await add([...flags, show]);
    expect(given).toMatchObject({ num_gpus: 0, output_globs: ["x"], priority: 1, links: [], jobrc: null });
    expect(await readLog(given.id)).toBe(`${show}\nflag here`);
  });

  test("counts in a worktree, without code, and outside a repository; not from a folder below that is none's top", async () => {
    await createProject('gpus = 0\n[env]\nA = "project"\n');
    const tree = join(world.folder, "worktree");
    await world.git(["worktree", "add", "--quiet", tree], folder);
    write(".nexus.toml", 'gpus = 0\n[env]\nA = "worktree"\n', tree);
    expect(await readLog((await add(["echo $A"], join(tree, "src"))).id)).toEndWith("worktree");
    expect(await readLog((await add(["--no-git", "echo $A"], join(folder, "src"))).id)).toEndWith("project");
    const plain = mkdtempSync(join(world.folder, "plain-"));
    write(".nexus.toml", 'gpus = 0\n[env]\nA = "plain"\n', plain);
    expect(await readLog((await add(["--no-git", "echo $A"], plain)).id)).toEndWith("plain");
    write("src/.nexus.toml", "broken");
    expect(await readLog((await add(["echo $A"], join(folder, "src"))).id)).toEndWith("project");
  });

  test("with a mistake is told by its line, and nothing is submitted", async () => {
    await createProject("gpus = 0\n\nouputs = false\n");
    const path = join(folder, ".nexus.toml");
    expect(await refuse(["add", "true"])).toBe(`nx: ${path}, line 3: ouputs is no key; did you mean outputs?\n`);
    expect(await refuse(["run", "true"], join(folder, "src"))).toContain("did you mean outputs?");
    write(".nexus.toml", 'gpus = "2"\nlink = [1]\n[env]\nHF_TOKEN = "hf_secret1"\n');
    const told = await refuse(["add", "true"]);
    expect(told).toStartWith(
      `nx: ${path}, line 1: gpus is a whole number from 0 to 1024; line 2: link is a list of paths in quotes; line 4: env.HF_TOKEN looks like a secret`,
    );
    expect(told).not.toContain("hf_secret1");
    write(".nexus.toml", "gpus = 0\ngpus = 1\n");
    expect(await refuse(["add", "true"])).toStartWith(`nx: ${path}, line 2: `);
    write(".nexus.toml", 'jobrc = "nothere.sh"\n');
    expect(await refuse(["add", "true"])).toBe(`nx: ${path}: there is no file nothere.sh, which jobrc names\n`);
    rmSync(path);
    mkdirSync(path);
    expect(await refuse(["add", "true"])).toBe(`nx: ${path} is no file\n`);
  });

  test("is named where its values are shown: nx config, nx jobrc and --dry-run", async () => {
    await createProject('jobrc = "rc.sh"\n[env]\nA = "1"\n');
    write("rc.sh", "echo project\n");
    const path = join(folder, ".nexus.toml");
    expect((await world.nx(["config"], folder)).stderr).toContain(`${path} sets for jobs on local: jobrc, env.A\n`);
    const jobrc = await world.nx(["jobrc"], join(folder, "src"));
    expect([jobrc.stdout, jobrc.stderr]).toEqual([
      "echo project\n",
      `This is rc.sh, which ${path} names instead of ${world.home}/.nexus/.jobrc:\n`,
    ]);
    const dry = await world.nx(["add", "--dry-run", "true"], folder);
    expect(JSON.parse(dry.stdout)).toMatchObject([{ jobrc: "echo project\n", env: ["A"] }]);
    expect(dry.stderr).toBe(`Where no flag says otherwise, ${path} sets: jobrc, env.A\n`);
  });
});

test.skipIf(!canBeOthers)("a project's file of someone else counts only in a repository that git trusts", async () => {
  const plain = mkdtempSync(join(world.folder, "plain-"));
  write(".nexus.toml", "gpus = 2\njobrc = false\n", plain);
  chownSync(join(plain, ".nexus.toml"), NOBODY, NOBODY);
  const { stdout, stderr } = await world.nx(["add", "-q", "-c", "--no-git", "--dry-run", "true"], plain);
  expect(stderr).toBe(`Passed over: ${plain}/.nexus.toml belongs to someone else, and is in no repository\n`);
  expect(JSON.parse(stdout)).toMatchObject([{ num_gpus: 0 }]);
  await createProject("gpus = 2\n");
  chownSync(folder, NOBODY, NOBODY);
  chownSync(join(folder, ".git"), NOBODY, NOBODY);
  chownSync(join(folder, ".nexus.toml"), NOBODY, NOBODY);
  expect((await world.nx(["add", "--dry-run", "true"], folder)).stderr).toContain("safe.directory");
  const without = await world.nx(["add", "--dry-run", "--no-git", "true"], folder);
  expect([JSON.parse(without.stdout)[0].num_gpus, without.exitCode]).toEqual([1, 0]);
});

describe("a link to data", () => {
  test("lets the job read and write what is in the user's folder, and is none of its files", async () => {
    await createProject("");
    const words = ["-c", "--link", "../data", "--link", `../here=${world.home}`];
    const command = "cat ../data/train.csv; echo new > ../data/new; touch ../made; ls -d ../here/";
    const { id, exit_code: exitCode } = await add([...words, command], join(folder, "src"));
    expect([exitCode, await succeed(["files", "-q", id])]).toEqual([0, "made"]);
    expect((await world.job(id)).outputs).toMatchObject({ files: 1, left_out: { files: 0 } });
    expect(readFileSync(join(folder, "data", "new"), "utf8")).toBe("new\n");
    expect(existsSync(join(world.folder, "server", "jobs", id, "repo"))).toBe(false);
  });

  test("is made again by a redo, until its target is gone or a flag says otherwise", async () => {
    await createProject('link = ["data"]\n');
    const first = await add(["-c", "cat data/train.csv"]);
    write(".nexus.toml", 'link = ["src/other"]\njobrc = "nothere"\n');
    const second = await world.waitFor(await succeed(["redo", "-q", first.id]));
    expect([second.links, second.exit_code]).toEqual([first.links, 0]);
    const other = await world.waitFor(await succeed(["redo", "-q", "--link", `more=${world.home}`, first.id]));
    expect(other.links).toEqual([...first.links, { path: "more", target: world.home }]);
    const none = await world.waitFor(await succeed(["redo", "-q", "--no-link", first.id]));
    expect([none.links, none.exit_code]).toEqual([[], 1]);
    expect(await succeed(["diff", first.id, other.id])).toContain(`more -> ${world.home}`);
    rmSync(join(folder, "data"), { recursive: true });
    expect(await refuse(["redo", first.id])).toBe(`nx: data can't be linked: there is no ${join(folder, "data")}\n`);
  });

  test.each([
    [["--link", "src"], "nx: src can't be linked: src/main.sh travels with the code\n"],
    [["--link", "src/main.sh"], "nx: src/main.sh can't be linked: it travels with the code\n"],
    [["--link", "src/main.sh/x=/etc"], "nx: src/main.sh/x can't be linked: src/main.sh travels with the code\n"],
    [["--link", "out/x=/etc"], "nx: out/x can't be linked: out travels with the code\n"],
    [["--link", "nothere"], "nx: nothere can't be linked: there is no "],
    [["--link", "data=/no/such"], "nx: data can't be linked: there is no /no/such\n"],
    [["--link", "../x"], "nx: --link ../x: The path begins at the top"],
    [["--link", "/data"], "nx: --link /data: The path begins at the top"],
    [["--link", ""], "nx: --link needs a value"],
    [["--link", "."], "nx: --link .: The path is the top itself"],
    [["--link", ".git"], "nx: --link .git: The path is in .git"],
    [["--link", "data", "--link", "data=/etc"], "nx: --link: data is linked twice"],
    [["--link", "data", "--link", "data/x=/etc"], "nx: --link: data/x lies in another link"],
  ])("is refused where it can't be: %j", async (flags, problem) => {
    await createProject("");
    symlinkSync("/etc", join(folder, "out"));
    await world.git(["add", "--all"], folder);
    expect(await refuse(["add", "-c", ...flags, "true"])).toStartWith(problem);
  });

  test("by the path here is refused for a server that is elsewhere, with how to name the path there", async () => {
    await createProject('link = ["data"]\n');
    write("config.toml", '[targets.far]\nhost = "gpu-box.example"\n', join(world.home, ".nexus"));
    expect(await refuse(["add", "-t", "far", "true"])).toBe(
      'nx: data can\'t be linked: the server of "far" does not see this folder; say where it is there with --link data=/ABSOLUTE, or under [target.far] of .nexus.toml\n',
    );
    const dry = JSON.parse(await succeed(["add", "-t", "far", "--dry-run", "--link", "data=/mnt/data", "true"]));
    expect(dry).toMatchObject([{ links: [{ path: "data", target: "/mnt/data" }] }]);
  });

  test("without which a command names an ignored file is asked for, once, and not for what travels or is not there", async () => {
    await createProject("gpus = 0\n");
    const warn = async (words: readonly string[], cwd = folder): Promise<string> =>
      (await world.nx(["add", "-q", "-y", ...words], cwd)).stderr;
    const warning = "is ignored by git and does not travel; the job sees what is here with";
    expect(await warn(["python3", "t.py", "--data=data/train.csv", "--lr", "{1,2,3}"])).toBe(
      `Warning: data/train.csv ${warning} --link data\n`,
    );
    expect(await warn(["ls ../data; cat main.sh nothere"], join(folder, "src"))).toBe(
      `Warning: ../data ${warning} --link ../data\n`,
    );
    expect(await warn(["--link", "data", "cat", "data/train.csv"])).toBe("");
    expect(await warn(["cat", "src/main.sh", "data/nothere", "/etc/hosts"])).toBe("");
    expect(await warn(["--no-git", "cat", "data/train.csv"])).toBe("");
  });

  test("is not made by the server where the code has something there, and the job fails before its command", async () => {
    await createProject("");
    const { artifact_id: artifact } = await add(["-c", "true"]);
    const job = await world.submit({
      command: "touch ../ran",
      num_gpus: 0,
      artifact_id: artifact,
      links: [{ path: "src", target: "/etc" }],
    });
    expect(await world.waitFor(job.id)).toMatchObject({
      status: "failed",
      error_message: "Could not link src: the code has something of that name",
    });
    expect(existsSync(join(world.folder, "server", "jobs", job.id, "ran"))).toBe(false);
    const wrong = await world.post("/v1/jobs", {
      command: "true",
      user: "u",
      links: [{ path: "../x", target: "/etc" }],
    });
    expect(wrong.status).toBe(422);
    expect(lstatSync("/etc").isDirectory()).toBe(true);
  });
});
