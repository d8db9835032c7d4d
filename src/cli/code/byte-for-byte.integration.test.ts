import { afterEach, beforeEach, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { type Bench, openBench, useBench } from "../../../tests/support/git-bench.ts";

const RUNS = 40;
const EXECUTABLE = 0o100;

let folder: string;
let ownGlobal: string | undefined;

useBench((bench) => {
  ({ folder } = bench);
});

beforeEach(() => {
  ownGlobal = process.env["GIT_CONFIG_GLOBAL"];
});

afterEach(() => {
  if (ownGlobal === undefined) delete process.env["GIT_CONFIG_GLOBAL"];
  else process.env["GIT_CONFIG_GLOBAL"] = ownGlobal;
});

type Piece = Readonly<{ path: readonly string[]; content: string; kind: "file" | "program" | "link" }>;
type Settings = Readonly<{
  attributes: readonly string[];
  config: readonly (readonly [string, string])[];
  scope: string;
}>;
type Story = Readonly<{
  before: Settings;
  committed: readonly Piece[];
  after: Settings;
  changed: readonly Piece[];
  removed: readonly number[];
  flag: "--assume-unchanged" | "--skip-worktree" | null;
  isStaged: boolean;
}>;

const LETTERS = [
  "a",
  "b",
  "-",
  " ",
  "\n",
  "\t",
  '"',
  "\\",
  "*",
  "?",
  "[",
  ":",
  "~1",
  "\x01",
  "\xff",
  "\x80",
  "\xc3\xa9",
];
const CONTENTS = ["one\n", "two\r\n", "\r", "$Id$", "$Id: old $", "\0", "\xff\xfe", "\xc3\xa9", "a\0", " "];
const ATTRIBUTES = [
  ...["* text=auto", "* text", "*.a text eol=crlf", "*.b eol=lf", "* -text", "* crlf=input", "*.b binary", "* ident"],
  ...["*.b working-tree-encoding=latin1", "* filter=upper", "*.a filter=none"],
  ...["* export-ignore", "* export-subst", "[attr]odd -text ident", "* odd"],
];
const CONFIG = [
  ...(["true", "input", "false"] as const).map((value) => ["core.autocrlf", value] as const),
  ...(["crlf", "lf"] as const).map((value) => ["core.eol", value] as const),
  ...(["true", "warn"] as const).map((value) => ["core.safecrlf", value] as const),
  ...(["fileMode", "symlinks", "trustctime", "preloadIndex"] as const).map(
    (name) => [`core.${name}`, "false"] as const,
  ),
  ...(["ignoreStat", "untrackedCache", "splitIndex", "precomposeUnicode"] as const).map(
    (name) => [`core.${name}`, "true"] as const,
  ),
  ...[["core.checkStat", "minimal"] as const, ["index.version", "4"] as const, ["tar.umask", "0177"] as const],
  ...[["status.showUntrackedFiles", "no"] as const, ["add.ignoreErrors", "true"] as const],
];

const concatenate = (pieces: readonly string[]): string => pieces.join("");
const contents = fc.array(fc.constantFrom(...CONTENTS), { maxLength: 4 }).map(concatenate);
const names = fc
  .tuple(fc.array(fc.constantFrom(...LETTERS), { minLength: 1, maxLength: 4 }), fc.constantFrom("", ".a", ".b"))
  .map(([letters, ending]) => letters.join("") + ending);
const pieces = fc.record<Piece>({
  path: fc.array(names, { minLength: 1, maxLength: 2 }),
  content: contents,
  kind: fc.constantFrom("file", "file", "program", "link"),
});
const settings = fc.record<Settings>({
  attributes: fc.array(fc.constantFrom(...ATTRIBUTES), { maxLength: 3 }),
  config: fc.array(fc.constantFrom(...CONFIG), { maxLength: 3 }),
  scope: fc.constantFrom("--global", "--local"),
});
const stories = fc.record<Story>({
  before: settings,
  committed: fc.array(pieces, { maxLength: 6 }),
  after: settings,
  changed: fc.array(pieces, { maxLength: 4 }),
  removed: fc.array(fc.nat(5), { maxLength: 2 }),
  flag: fc.constantFrom("--assume-unchanged", "--skip-worktree", null),
  isStaged: fc.boolean(),
});

const at = (top: string, path: readonly string[]): Buffer =>
  Buffer.concat([Buffer.from(`${top}/`), Buffer.from(path.join("/"), "latin1")]);

const make = (top: string, { path, content, kind }: Piece): void => {
  const target = at(top, path);
  rmSync(at(top, path.slice(0, 1)), { recursive: true, force: true });
  if (path.length > 1) mkdirSync(at(top, path.slice(0, -1)));
  if (kind === "link") symlinkSync(Buffer.from(content.replaceAll("\0", "") || "nowhere", "latin1"), target);
  else writeFileSync(target, Buffer.from(content, "latin1"), { mode: kind === "program" ? 0o755 : 0o644 });
};

const hash = (bytes: Buffer): string => createHash("sha256").update(bytes).digest("hex");

const describeEntry = (path: Buffer): string => {
  const status = lstatSync(path);
  if (status.isSymbolicLink()) return `link ${readlinkSync(path, { encoding: "buffer" }).toString("latin1")}`;
  return `${(status.mode & EXECUTABLE) === 0 ? "file" : "program"} ${hash(readFileSync(path))}`;
};

const describeTree = (top: Buffer, prefix = ""): readonly (readonly [string, string])[] =>
  readdirSync(top, { encoding: "buffer" })
    .filter((name) => name.toString() !== ".git")
    .flatMap((name) => {
      const [path, shown] = [Buffer.concat([top, Buffer.from("/"), name]), prefix + name.toString("latin1")];
      return lstatSync(path).isDirectory() ? describeTree(path, `${shown}/`) : [[shown, describeEntry(path)] as const];
    })
    .toSorted(([a], [b]) => (a < b ? -1 : 1));

const isFreshened = (name: string): boolean => /^objects\/|^sharedindex\./.test(name);

const describeGit = (top: string): readonly string[] =>
  readdirSync(top, { recursive: true, encoding: "utf8" })
    .filter((name) => !lstatSync(join(top, name)).isDirectory())
    .toSorted()
    .map((name) => {
      const { mode, mtimeMs } = lstatSync(join(top, name));
      return `${name} ${mode} ${isFreshened(name) ? "" : mtimeMs} ${hash(readFileSync(join(top, name)))}`;
    });

const attempt = (git: Bench["git"], ...words: readonly string[]): void => {
  try {
    git(...words);
  } catch (error) {
    if (!(error instanceof Error && "status" in error)) throw error;
  }
};

const apply = ({ git, write }: Bench, { attributes, config, scope }: Settings): void => {
  write(".gitattributes", attributes.map((line) => `${line}\n`).join(""));
  for (const [name, value] of config) git("config", scope, name, value);
};

const live = (bench: Bench, { before, committed, after, changed, removed, flag, isStaged }: Story): void => {
  const { git, repository } = bench;
  git("config", "filter.upper.clean", "tr a-z A-Z");
  apply(bench, before);
  for (const piece of committed) make(repository, piece);
  attempt(git, "add", "--all", "--ignore-errors");
  git("commit", "--quiet", "--allow-empty", "-m", "one");
  if (flag !== null) attempt(git, "update-index", flag, ".gitattributes");
  for (const [name, value] of before.config) attempt(git, "config", before.scope, "--unset-all", name, `^${value}$`);
  apply(bench, after);
  for (const piece of changed) make(repository, piece);
  for (const index of removed) {
    const path = committed[index]?.path;
    if (path !== undefined && existsSync(at(repository, path))) rmSync(at(repository, path), { recursive: true });
  }
  if (isStaged) attempt(git, "add", "--all", "--ignore-errors");
};

test("whatever a tree holds and git is told, the same names, modes, links and bytes travel, and git's own files stay as they are", async () => {
  let number = 0;
  const holds = fc.asyncProperty(stories, async (story) => {
    process.env["GIT_CONFIG_GLOBAL"] = join(folder, `settings-${number}`);
    const bench = openBench(folder, `repository-${number++}`);
    live(bench, story);
    const before = describeGit(join(bench.repository, ".git"));
    const unpacked = await bench.unpack(await bench.snap());
    expect(describeTree(Buffer.from(unpacked))).toEqual([...describeTree(Buffer.from(bench.repository))]);
    expect(describeGit(join(bench.repository, ".git"))).toEqual([...before]);
  });
  await fc.assert(holds, { numRuns: RUNS });
}, 120_000);
