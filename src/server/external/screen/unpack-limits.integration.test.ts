import { expect, onTestFinished, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createTar } from "../../../../tests/support/tar-archive.ts";
import { type ArtifactId, UNKNOWN_CODE } from "../../core/jobs/job.ts";
import { renderCommandScript, type UnpackLimits } from "./run-script.ts";

const LIMITS: UnpackLimits = { gib: 1 / 32, entries: 2000, seconds: 20 };

const job = { command: "find . | wc -l", jobrc: null, artifactId: "a" as ArtifactId, links: [], code: UNKNOWN_CODE };

const makeFolder = (): string => {
  const folder = mkdtempSync(join(tmpdir(), "nexus-unpack-"));
  onTestFinished(() => void spawnSync("rm", ["-rf", folder]));
  mkdirSync(join(folder, "repo"));
  writeFileSync(join(folder, "error.log"), "");
  return folder;
};

const unpack = (archive: Uint8Array, limits: UnpackLimits = LIMITS) => {
  const folder = makeFolder();
  writeFileSync(join(folder, "artifact"), archive);
  writeFileSync(join(folder, "job_commands.sh"), renderCommandScript(job, { limits }));
  const { status, stdout } = spawnSync("bash", ["job_commands.sh"], { cwd: folder });
  return {
    status,
    output: stdout.toString(),
    errors: readFileSync(join(folder, "error.log"), "utf8"),
    hasStarted: existsSync(join(folder, "started")),
    folder,
  };
};

const run = (argv: readonly string[], input: Uint8Array): Uint8Array =>
  spawnSync(argv[0] ?? "", argv.slice(1), { input, maxBuffer: 2 ** 30 }).stdout;

const createFiles = (count: number): Uint8Array =>
  createTar(Array.from({ length: count }, (_, index) => ({ name: `file${index}` })));

const createZeros = (mib: number): Uint8Array => {
  const folder = makeFolder();
  const make = `truncate -s ${mib}M zeros && tar -c zeros`;
  return spawnSync("bash", ["-c", make], { cwd: folder, maxBuffer: 2 ** 30 }).stdout;
};

const createSparse = (): Uint8Array => {
  const folder = makeFolder();
  return spawnSync("bash", ["-c", "truncate -s 2T hole && tar -cS hole"], { cwd: folder }).stdout;
};

test("an artifact within the limits is unpacked", () => {
  expect(unpack(createFiles(1990))).toMatchObject({ status: 0, errors: "", hasStarted: true });
  expect(unpack(run(["zstd", "-c"], createZeros(25)))).toMatchObject({ status: 0, errors: "", hasStarted: true });
});

const TOO_LARGE = "Could not unpack the artifact: it unpacks to more than 0.03125 GiB\n";
const TOO_MANY = "Could not unpack the artifact: it has more than 2000 files and folders\n";

const BOMBS: readonly (readonly [string, () => Uint8Array, string])[] = [
  ["that are too many files", () => createFiles(10_000), TOO_MANY],
  ["that are too many folders in one another", () => createTar([{ name: "d/".repeat(49) }, ...deep()]), TOO_MANY],
  ["that a few bytes of gzip grow to", () => run(["gzip", "-c"], createZeros(60)), TOO_LARGE],
  ["that a few bytes of zstd grow to", () => run(["zstd", "-c"], createZeros(60)), TOO_LARGE],
  ["that a hole grows to", createSparse, TOO_LARGE],
];

const deep = () =>
  Array.from({ length: 10_000 }, (_, index) => ({ name: `${"d/".repeat(40)}${index}/`, type: "5", mode: 0o755 }));

test.each(BOMBS)("bytes %s fail the job before its command, with one line", (_what, create, line) => {
  const { folder, ...outcome } = unpack(create());
  expect(outcome).toEqual({ status: 1, output: expect.any(String), errors: line, hasStarted: false });
  expect(outcome.output).toEndWith(line);
  expect(existsSync(join(folder, "artifact"))).toBe(false);
});

test("an archive that takes too long is given up, and its command does not start", () => {
  const slow = run(["zstd", "-c", "-1"], createZeros(50));
  const outcome = unpack(slow, { gib: 100, entries: 1e6, seconds: 0.001 });
  expect([outcome.status, outcome.hasStarted]).toEqual([1, false]);
  expect(outcome.errors).toBe("Could not unpack the artifact: it takes longer than 0.001 s\n");
});

const STUCK = "#!/bin/bash\ntrap '' TERM\nwhile :; do sleep 0.1; done\n";
const FOREVER: readonly (readonly [string, string])[] = [
  ["that nobody goes on writing", "mkfifo artifact && exec 9<> artifact"],
  ["whose program lives on after TERM", "printf x | zstd -c > artifact && export PATH=$PWD/bin:$PATH"],
];

test.each(FOREVER)(
  "an archive %s is given up, and nothing of it goes on",
  (_what, prepare) => {
    const folder = makeFolder();
    mkdirSync(join(folder, "bin"));
    writeFileSync(join(folder, "bin", "zstd"), STUCK, { mode: 0o755 });
    const limits = { ...LIMITS, seconds: 0.5 };
    writeFileSync(join(folder, "job_commands.sh"), renderCommandScript(job, { limits }));
    expect(spawnSync("bash", ["-c", `${prepare}; exec bash job_commands.sh`], { cwd: folder }).status).toBe(1);
    const line = "Could not unpack the artifact: it takes longer than 0.5 s\n";
    expect([readFileSync(join(folder, "error.log"), "utf8"), existsSync(join(folder, "started"))]).toEqual([
      line,
      false,
    ]);
    expect(
      spawnSync("bash", [
        "-c",
        'for one in /proc/[0-9]*; do [[ $one/cwd -ef $1 ]] && echo "$one"; done',
        "bash",
        folder,
      ]).stdout.toString(),
    ).toBe("");
  },
  30_000,
);

test("names with newlines, escape sequences and bytes that are no UTF-8 are unpacked as they are", () => {
  const names = ["new\nline", "\u001b]0;title\u0007", "-rf", "$(touch ran)", "`touch ran`", " "];
  const outcome = unpack(createTar(names.map((name) => ({ name, body: "x" }))));
  expect([outcome.status, outcome.errors]).toEqual([0, ""]);
  for (const name of names) expect(existsSync(join(outcome.folder, "repo", name))).toBe(true);
  const bytes = Buffer.from(createTar([{ name: "A~B" }]));
  bytes[1] = 0xff;
  const sum = bytes
    .subarray(0, 512)
    .fill(" ", 148, 156)
    .reduce((total, byte) => total + byte, 0);
  bytes.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
  expect(unpack(bytes).status).toBe(0);
});
