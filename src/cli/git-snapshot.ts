import { spawn } from "node:child_process";
import {
  closeSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ok, type Result } from "../shared/result.ts";
import { fail, INTERRUPTED } from "./failure.ts";
import { runGit } from "./run-git.ts";
import { checkChangedSize, type SizedFile } from "./size-limit.ts";
import type { Failure } from "./verb.ts";

/** `subFolder` is where the user stands below the top, empty at the top. `folder` is ours, until `dispose`. */
export type Snapshot = Readonly<{
  folder: string;
  treeSha: string;
  isDirty: boolean;
  subFolder: string;
  branch: string | null;
  remoteUrl: string | null;
  warnings: readonly string[];
  writeTar: (path: string) => Promise<Result<number, Failure>>;
  listFiles: () => readonly SizedFile[];
  dispose: () => void;
}>;

type Repository = Readonly<{ top: string; objects: string; index: string; prefix: string; hash: string }>;
type Workshop = Readonly<{ repository: Repository; folder: string; bare: string; env: NodeJS.ProcessEnv }>;

const TREE_SHA = /^[0-9a-f]{40,64}$/;

const locateRepository = (cwd: string): Repository | null => {
  const asked = runGit(cwd, [
    "rev-parse",
    "--path-format=absolute",
    "--show-toplevel",
    "--git-path",
    "objects",
    "--git-path",
    "index",
    "--show-object-format",
    "--show-prefix",
  ]);
  if (!asked.ok) return null;
  const [top = "", objects = "", index = "", hash = "", prefix = ""] = asked.text.split("\n");
  return { top, objects, index, hash, prefix: prefix.replace(/\/$/, "") };
};

const renderConfig = (hash: string): string =>
  `[core]\n\tbare = true\n\trepositoryformatversion = 1\n[extensions]\n\tobjectFormat = ${hash}\n`;

const createWorkshop = (repository: Repository): Workshop => {
  const folder = mkdtempSync(join(tmpdir(), "nx-snapshot-"));
  const bare = join(folder, "git");
  mkdirSync(join(bare, "objects", "info"), { recursive: true });
  mkdirSync(join(bare, "refs"));
  mkdirSync(join(bare, "info"));
  writeFileSync(join(bare, "HEAD"), "ref: refs/heads/none\n");
  writeFileSync(join(bare, "objects", "info", "alternates"), `${repository.objects}\n`);
  writeFileSync(join(bare, "info", "attributes"), "* -export-ignore -export-subst -filter\n");
  writeFileSync(join(bare, "config"), renderConfig(repository.hash));
  const index = join(folder, "index");
  if (existsSync(repository.index)) copyFileSync(repository.index, index);
  const env = {
    GIT_INDEX_FILE: index,
    GIT_OBJECT_DIRECTORY: join(bare, "objects"),
    GIT_ALTERNATE_OBJECT_DIRECTORIES: repository.objects,
  };
  return { repository, folder, bare, env };
};

const writeTree = ({ repository, env }: Workshop): Result<string, Failure> => {
  const added = runGit(repository.top, ["add", "--all", "--", "."], { env });
  if (!added.ok) return fail(`the repository's files can't be read: ${added.problem}`);
  const tree = runGit(repository.top, ["write-tree"], { env });
  return tree.ok && TREE_SHA.test(tree.text) ? ok(tree.text) : fail(`git can't make a tree: ${tree.problem}`);
};

const findWarnings = ({ repository, env }: Workshop): readonly string[] => {
  const files = runGit(repository.top, ["ls-files", "--stage"], { env }).text;
  const submodules = files
    .split("\n")
    .filter((line) => line.startsWith("160000 "))
    .map((line) => line.split("\t")[1]);
  const lfs = runGit(repository.top, ["grep", "--cached", "-l", "filter=lfs", "--", "*.gitattributes"], { env });
  return [
    ...(submodules.length > 0 ? [`Submodules do not travel with the job: ${submodules.join(", ")}`] : []),
    ...(lfs.ok ? ["Files in Git LFS travel as pointers, not as what they point to"] : []),
  ];
};

const writeTar = ({ bare }: Workshop, tree: string, path: string): Promise<Result<number, Failure>> => {
  const file = openSync(path, "w", 0o600);
  const child = spawn("git", [`--git-dir=${bare}`, "archive", "--format=tar", tree], {
    stdio: ["ignore", file, "pipe"],
  });
  closeSync(file);
  const { promise, resolve } = Promise.withResolvers<Result<number, Failure>>();
  let problem = "";
  child.stderr?.on("data", (data: Buffer) => {
    problem += data.toString();
  });
  child.on("error", (error) => resolve(fail(`git archive failed: ${error.message}`)));
  child.on("close", (code) =>
    resolve(code === 0 ? ok(statSync(path).size) : fail(`git archive failed: ${problem.trim()}`)),
  );
  return promise;
};

const listFiles = ({ bare }: Workshop, tree: string): readonly SizedFile[] =>
  runGit(bare, [`--git-dir=${bare}`, "ls-tree", "-r", "-l", "-z", tree])
    .text.split("\0")
    .map((line) => /^\S+ \S+ \S+ +(\d+)\t(.*)$/s.exec(line))
    .map((match) => ({ bytes: Number(match?.[1] ?? 0), name: match?.[2] ?? "" }));

const hideCredentials = (url: string): string => url.replace(/^(\w+:\/\/)[^/@]*@/, "$1");

const askText = (cwd: string, args: readonly string[]): string | null => {
  const asked = runGit(cwd, args);
  return asked.ok && asked.text !== "" ? asked.text : null;
};

const describe = (workshop: Workshop, tree: string, dispose: () => void): Snapshot => {
  const { repository, folder } = workshop;
  const url = askText(repository.top, ["config", "--get", "remote.origin.url"]);
  return {
    folder,
    treeSha: tree,
    isDirty: askText(repository.top, ["rev-parse", "--verify", "--quiet", "HEAD^{tree}"]) !== tree,
    subFolder: repository.prefix,
    branch: askText(repository.top, ["symbolic-ref", "--short", "--quiet", "HEAD"]),
    remoteUrl: url === null ? null : hideCredentials(url),
    warnings: findWarnings(workshop),
    writeTar: (path) => writeTar(workshop, tree, path),
    listFiles: () => listFiles(workshop, tree),
    dispose,
  };
};

const stopQuietly = (): never => process.exit(INTERRUPTED);

const release = (folder: string): void => {
  process.off("SIGINT", stopQuietly).off("SIGTERM", stopQuietly);
  rmSync(folder, { recursive: true, force: true });
};

/**
 * The files as they are now, tracked or not, except the ignored ones. Null outside a repository. The user's repository
 * is only read: index and objects are written in a folder of our own, which `dispose` removes.
 */
export const takeSnapshot = (cwd: string): Result<Snapshot, Failure> | null => {
  const repository = locateRepository(cwd);
  if (repository === null) return null;
  const size = checkChangedSize(repository.top);
  if (!size.ok) return size;
  const workshop = createWorkshop(repository);
  const dispose = (): void => {
    process.off("exit", dispose);
    release(workshop.folder);
  };
  process.once("exit", dispose);
  const tree = writeTree(workshop);
  if (!tree.ok) {
    dispose();
    return tree;
  }
  const snapshot = describe(workshop, tree.value, dispose);
  process.once("SIGINT", stopQuietly).once("SIGTERM", stopQuietly);
  return ok(snapshot);
};
