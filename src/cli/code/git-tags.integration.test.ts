import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gitIn } from "../../../tests/support/git-bench.ts";
import { type Finished, listProcessesWith, NX, runProgram } from "../../../tests/support/programs.ts";
import { waitUntil } from "../../../tests/support/wait.ts";
import { locateRepository } from "./git-repository.ts";
import { createTags } from "./git-tags.ts";
import { pushTags } from "./push-tags.ts";
import { createWorkshop } from "./snapshot-folder.ts";

type Posted = Readonly<{ job_id?: string; git_tag?: string | null; git_branch: string | null; artifact_id: string }>;
type Answer = (round: number) => "stored" | "lost" | Readonly<{ status: number; error: string }>;

const ID = /^[1-9a-z]{6}$/;
const TREE_KNOWN = { exists: true, artifact_id: "known" };

let folder: string;
let repository: string;
let remote: string;
let server: Server;
let answer: Answer;
let rounds: (readonly Posted[])[];

const git = (...words: readonly string[]): string => gitIn(repository, ...words).trim();
const onRemote = (...words: readonly string[]): string => gitIn(remote, ...words).trim();
const write = (name: string, text: string): void => writeFileSync(join(repository, name), text);

const readBody = async (request: IncomingMessage): Promise<string> => {
  const pieces: Buffer[] = [];
  for await (const piece of request) pieces.push(piece as Buffer);
  return Buffer.concat(pieces).toString();
};

const answerRequest = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
  const body = await readBody(request);
  const send = (status: number, value: unknown): void => {
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(value));
  };
  if (request.url?.includes("/by-sha/") === true) return send(200, TREE_KNOWN);
  if (request.method === "GET") return send(200, []);
  const posted = [JSON.parse(body) as Posted | readonly Posted[]].flat() as readonly Posted[];
  rounds.push(posted);
  const said = answer(rounds.length);
  if (said === "lost") request.socket.destroy();
  else if (said === "stored")
    send(
      201,
      posted.map(({ job_id }) => ({ id: job_id ?? "server" })),
    );
  else send(said.status, { error: said.error, message: `it is ${said.error}`, status_code: said.status });
};

const setUpRemote = (): void => {
  gitIn(folder, "init", "--quiet", "--bare", remote);
  git("remote", "add", "origin", "../remote.git");
};

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "nexus-tags-"));
  repository = join(folder, "repository");
  remote = join(folder, "remote.git");
  rounds = [];
  answer = () => "stored";
  mkdirSync(repository);
  git("init", "--quiet", "--initial-branch=main");
  write("a", "one");
  git("add", "--all");
  git("commit", "--quiet", "-m", "one");
  server = createServer((request, response) => void answerRequest(request, response));
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
});

afterEach(async () => {
  await new Promise((resolve) => void server.close(resolve));
  rmSync(folder, { recursive: true, force: true });
});

const readPort = (): string => {
  const address = server.address();
  return String(typeof address === "object" ? address?.port : 0);
};

const nx = (words: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Finished> =>
  runProgram([NX, ...words], {
    cwd: repository,
    env: {
      PATH: process.env["PATH"],
      HOME: folder,
      USER: "ada",
      TMPDIR: folder,
      NO_COLOR: "1",
      NS_PORT: readPort(),
      NEXUS_AUTOSTART: "false",
      NEXUS_ENABLE_GIT_TAG_PUSH: "true",
      ...env,
    },
  });

const lastRound = (): readonly Posted[] => rounds.at(-1) ?? [];

const listTags = (): readonly string[] => onRemote("tag", "--list").split("\n").filter(Boolean);

const listRefs = (): string => git("for-each-ref");

const installHook = (name: string, text: string): void => {
  const path = join(remote, "hooks", name);
  writeFileSync(path, `#!/bin/sh\n${text}\n`);
  chmodSync(path, 0o755);
};

describe("with git tags turned on", () => {
  test("a clean tree's job has an annotated tag on HEAD, at origin and nowhere in the user's repository", async () => {
    setUpRemote();
    const refs = listRefs();
    const added = await nx(["add", "-q", "true"]);
    const [job] = lastRound();
    expect([added.exitCode, added.stdout]).toEqual([0, `${job?.job_id}\n`]);
    expect(job?.job_id).toMatch(ID);
    expect(job).toMatchObject({ git_tag: `nexus-${job?.job_id}`, git_branch: "main", git_repo_url: "../remote.git" });
    expect(listTags()).toEqual([`nexus-${job?.job_id}`]);
    expect(onRemote("cat-file", "-t", String(job?.git_tag))).toBe("tag");
    expect(onRemote("rev-parse", `${job?.git_tag}^{commit}`)).toBe(git("rev-parse", "HEAD"));
    expect(listRefs()).toBe(refs);
  });

  test("uncommitted and new files are in a commit upon HEAD, also where git knows no name to sign with", async () => {
    setUpRemote();
    write("a", "two");
    write("new", "new");
    const status = git("status", "--porcelain");
    await nx(["run", "-d", "true"], { GIT_CONFIG_GLOBAL: "/dev/null", EMAIL: "" });
    const tag = String(lastRound()[0]?.git_tag);
    expect([onRemote("show", `${tag}:a`), onRemote("show", `${tag}:new`)]).toEqual(["two", "new"]);
    expect(onRemote("rev-parse", `${tag}^{commit}^`)).toBe(git("rev-parse", "HEAD"));
    onRemote("fsck", "--strict");
    expect(git("status", "--porcelain")).toBe(status);
  });

  test("a branch without a commit gives a commit without a parent, a detached HEAD has no branch", async () => {
    setUpRemote();
    git("checkout", "--quiet", "--detach");
    await nx(["add", "true"]);
    expect(lastRound()[0]).toMatchObject({ git_branch: null, git_tag: expect.stringMatching(/^nexus-/) });
    git("checkout", "--quiet", "--orphan", "unborn");
    await nx(["add", "true"]);
    expect(onRemote("rev-list", "--count", String(lastRound()[0]?.git_tag))).toBe("1");
  });

  test("hundreds of jobs are one push", async () => {
    setUpRemote();
    installHook("post-receive", `echo >> "${folder}/pushes"; cat >/dev/null`);
    const added = await nx(["add", "-y", "-r", "300", "true"]);
    expect(added.stdout).toStartWith("300 jobs are queued");
    expect(readFileSync(join(folder, "pushes"), "utf8")).toBe("\n");
    expect(listTags()).toEqual(
      lastRound()
        .map(({ git_tag }) => String(git_tag))
        .toSorted(),
    );
  });

  test("no setting of the user's makes git write a reference, sign, follow or run a hook", async () => {
    setUpRemote();
    git("tag", "-a", "mine", "-m", "mine");
    git("config", "--add", "remote.origin.fetch", "+refs/tags/*:refs/tags/*");
    git("config", "remote.origin.mirror", "true");
    for (const name of ["push.followTags", "tag.gpgSign", "commit.gpgSign", "push.gpgSign"])
      git("config", name, "true");
    writeFileSync(join(repository, ".git", "hooks", "pre-push"), `#!/bin/sh\ntouch "${folder}/hook-ran"\n`);
    chmodSync(join(repository, ".git", "hooks", "pre-push"), 0o755);
    const refs = listRefs();
    await nx(["add", "true"]);
    expect(listTags()).toEqual([String(lastRound()[0]?.git_tag)]);
    expect(listRefs()).toBe(refs);
    expect(existsSync(join(folder, "hook-ran"))).toBe(false);
  });

  test.each([
    [["-l"], {}],
    [["--no-git"], {}],
    [[], { NEXUS_ENABLE_GIT_TAG_PUSH: "false" }],
    [[], { NEXUS_ENABLE_GIT_TAG_PUSH: undefined }],
  ] as const)("%j with %j pushes nothing", async (flags, env) => {
    setUpRemote();
    const added = await nx(["add", "-q", ...flags, "true"], env);
    expect([added.stderr, listTags(), lastRound()[0]?.git_tag]).toEqual(["", [], null]);
    expect(lastRound()[0]?.job_id).toMatch(ID);
  });

  test("the file turns them on, and a push address of origin's own is used", async () => {
    setUpRemote();
    mkdirSync(join(folder, ".nexus"));
    writeFileSync(join(folder, ".nexus", "config.toml"), "enable_git_tag_push = true\n");
    git("config", "remote.origin.url", "https://nowhere.invalid/x.git");
    git("config", "remote.origin.pushurl", remote);
    await nx(["add", "true"], { NEXUS_ENABLE_GIT_TAG_PUSH: undefined });
    expect(listTags()).toEqual([String(lastRound()[0]?.git_tag)]);
  });
});

describe("a push that fails is a line, and the job goes on without a tag:", () => {
  const expectWithoutTag = async (why: string, env: NodeJS.ProcessEnv = {}): Promise<void> => {
    const added = await nx(["add", "-q", "true"], env);
    expect([added.exitCode, rounds.length, lastRound()[0]?.git_tag]).toEqual([0, 1, null]);
    const lines = added.stderr.trimEnd().split("\n");
    expect(lines).toHaveLength(2);
    expect(added.stderr).not.toContain("secret");
    expect(lines[1]).toStartWith(`Warning: tag nexus-${lastRound()[0]?.job_id} could not be pushed`);
    expect(lines[1]).toContain(why);
  };

  test("there is no remote", () => expectWithoutTag("there is no remote called origin"));

  test("a hook there refuses it, in the hook's words", async () => {
    setUpRemote();
    installHook("pre-receive", "echo no tags here >&2; exit 1");
    await expectWithoutTag("the remote refuses it: no tags here [remote rejected] (pre-receive hook declined)");
  });

  test("there is no such repository", async () => {
    git("remote", "add", "origin", join(folder, "nowhere.git"));
    await expectWithoutTag("there is no such repository: ");
  });

  test("nothing listens there, and no password is shown", async () => {
    git("remote", "add", "origin", "https://ada:secret@127.0.0.1:1/x.git");
    await expectWithoutTag("the remote can't be reached: ");
  });

  test("ssh may not ask", async () => {
    const folderOfSsh = join(folder, "bin");
    mkdirSync(folderOfSsh);
    const ssh = join(folderOfSsh, "ssh");
    const text = `case "$*" in *BatchMode=yes*) ;; *) sleep 60;; esac; echo "git@host: Permission denied (publickey)." >&2; exit 255`;
    writeFileSync(ssh, `#!/bin/sh\n${text}\n`);
    chmodSync(ssh, 0o755);
    git("remote", "add", "origin", "git@host:x.git");
    await expectWithoutTag("no permission: git@host: Permission denied (publickey).", {
      PATH: `${folderOfSsh}:${process.env["PATH"]}`,
    });
  });

  test("some of many are refused, the others are kept", async () => {
    setUpRemote();
    installHook("update", 'case "$1" in *[1-9]) echo no digits >&2; exit 1;; esac');
    await nx(["add", "-y", "-r", "40", "true"]);
    const kept = lastRound().filter(({ job_id }) => !/[1-9]$/.test(String(job_id)));
    expect(listTags()).toEqual(kept.map(({ git_tag }) => String(git_tag)).toSorted());
    expect(lastRound().filter(({ git_tag }) => git_tag !== null)).toEqual(kept);
  });
});

test("a push that hangs is ended with all that it started", async () => {
  git("remote", "add", "origin", "git@host:x.git");
  git("config", "core.sshCommand", "sleep 100 #");
  const located = locateRepository(repository);
  if (!located.ok || located.value === null) throw new Error("no repository");
  const workshop = createWorkshop(located.value);
  try {
    const tree = git("rev-parse", "HEAD^{tree}");
    const tags = createTags(workshop, { tree, isCommitted: true }, ["nexus-a"]);
    if (!tags.ok) throw new Error(tags.error.message);
    const mark = `GIT_OBJECT_DIRECTORY=${join(workshop.bare, "objects")}`;
    const pushing = pushTags(workshop, tags.value, 2000);
    await waitUntil(() => listProcessesWith(mark).length > 0, "git is at work");
    const pushed = await pushing;
    expect(pushed).toEqual({ names: [], problem: "it took longer than 2 s" });
    await waitUntil(() => listProcessesWith(mark).length === 0, "nothing of it is left");
  } finally {
    workshop.dispose();
  }
});

describe("a submission", () => {
  test("that the server refuses takes its tag back", async () => {
    setUpRemote();
    answer = () => ({ status: 500, error: "GPU_ERROR" });
    const run = await nx(["run", "true"]);
    expect([run.exitCode, rounds.length]).toEqual([6, 1]);
    expect(lastRound()[0]?.git_tag).toMatch(/^nexus-/);
    expect(listTags()).toEqual([]);
  });

  test("whose answer is lost is sent again under the same id", async () => {
    setUpRemote();
    answer = (round) => (round === 1 ? "lost" : "stored");
    const added = await nx(["add", "-q", "true"]);
    expect(added.exitCode).toBe(0);
    expect(rounds).toHaveLength(2);
    expect(rounds[1]).toEqual(rounds[0]);
    expect(listTags()).toEqual([String(lastRound()[0]?.git_tag)]);
  });

  test("whose ids are taken gets others, and at last those of the server", async () => {
    setUpRemote();
    answer = (round) => (round === 4 ? "stored" : { status: 409, error: "JOB_EXISTS" });
    const added = await nx(["add", "-q", "true"]);
    expect([added.exitCode, added.stdout]).toEqual([0, "server\n"]);
    const ids = rounds.map(([job]) => job?.job_id);
    expect([new Set(ids).size, ids[3]]).toEqual([4, undefined]);
    expect(listTags()).toEqual([]);
  });
});
