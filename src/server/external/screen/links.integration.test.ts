import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import {
  existsSync,
  lstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createEnded } from "../../../../tests/support/samples.ts";
import {
  type Bench,
  createBench,
  createStartingJob,
  launchJob,
  waitForEnd,
} from "../../../../tests/support/screen-bench.ts";
import { createTar, type TarMember } from "../../../../tests/support/tar-archive.ts";
import type { JobLink } from "../../../wire/links/link-paths.ts";
import type { ArtifactId, JobId } from "../../core/jobs/job.ts";
import { createJobOutputs } from "../job-folder/outputs/job-outputs.ts";

const ASIDE = `nexus-aside-${process.pid}`;

let bench: Bench;
let data: string;

beforeEach(() => {
  bench = createBench();
  data = mkdtempSync(join(tmpdir(), "nexus-data-"));
  writeFileSync(join(data, "a"), "from the user's folder\n");
});

afterEach(async () => {
  await bench.dispose();
  rmSync(data, { recursive: true });
});

type Run = Readonly<{ links: readonly JobLink[]; command?: string; members?: readonly TarMember[] }>;

const run = async ({ links, command = "true", members }: Run) => {
  const artifactId = members === undefined ? null : ("a" as ArtifactId);
  const starting = createStartingJob({ command, links, artifactId });
  const job = await launchJob(bench, starting, {}, members === undefined ? null : [createTar(members)]);
  const observation = await waitForEnd(bench, job);
  const { exitCode, reason } = { exitCode: null, reason: null, ...observation };
  return {
    id: job.id,
    exitCode,
    repo: join(bench.serverDir, "jobs", job.id, "repo"),
    reason,
  };
};

const keep = async (id: JobId, links: readonly JobLink[]) => {
  const outputs = createJobOutputs(bench.serverDir);
  const kept = await outputs.keep(createEnded(id, { links }));
  await outputs.finish(id);
  return kept;
};

describe("a job's links", () => {
  test.each([
    ["without code", undefined],
    [
      "beside code",
      [
        { name: "src/", type: "5" as const, mode: 0o755 },
        { name: "src/a.py", body: "1" },
      ],
    ],
  ])(
    "are there before its command, %s, are no outputs, and what is written through them stays there",
    async (_what, members) => {
      const links = [
        { path: "data", target: data },
        { path: "src/deep/it's -x/$HOME\n", target: join(data, "a") },
      ];
      const command = `cat data/a "src/deep/it's -x/"*; echo new > data/b; echo made > made`;
      const { id, exitCode, repo } = await run({ links, command, ...(members === undefined ? {} : { members }) });
      expect([exitCode, readlinkSync(join(repo, "data"))]).toEqual([0, data]);
      expect(await keep(id, links)).toMatchObject({ ok: true, value: { files: 1, leftOut: { files: 0 } } });
      expect(readdirSync(join(repo, "..", "outputs"))).toEqual(["made"]);
      expect([existsSync(repo), readdirSync(data).toSorted()]).toEqual([false, ["a", "b"]]);
      expect(readFileSync(join(repo, "..", "output.log"), "utf8")).toContain(
        "from the user's folder\r\nfrom the user's folder\r\n",
      );
    },
  );

  test("that the command makes anew are its own, and kept as links", async () => {
    const links = [{ path: "data", target: data }];
    const { id, repo } = await run({ links, command: "ln -sfn /elsewhere data" });
    expect(await keep(id, links)).toMatchObject({ ok: true, value: { files: 1 } });
    expect(readlinkSync(join(repo, "..", "outputs", "data"))).toBe("/elsewhere");
  });

  test("take the place of an empty folder, as a submodule leaves one", async () => {
    const { exitCode, repo } = await run({
      links: [{ path: "sub", target: data }],
      members: [{ name: "sub/", type: "5", mode: 0o755 }],
    });
    expect([exitCode, lstatSync(join(repo, "sub")).isSymbolicLink()]).toEqual([0, true]);
  });

  test.each<readonly [string, JobLink["path"], TarMember]>([
    ["a file of that name", "data", { name: "data", body: "code" }],
    ["a folder with something in it", "data", { name: "data/x", body: "code" }],
    ["a link of that name", "data", { name: "data", type: "2", link: "/nowhere" }],
    ["a file on the way", "data/x", { name: "data", body: "code" }],
    ["a link on the way", `data/${ASIDE}`, { name: "data", type: "2", link: tmpdir() }],
  ])("never replace %s: the job fails before its command", async (_what, path, member) => {
    const { exitCode, reason } = await run({
      links: [{ path, target: data }],
      members: [member],
      command: "touch ../ran",
    });
    expect([exitCode, reason]).toEqual([null, expect.stringMatching(/^Could not link data(\/\S+)?: /)]);
    expect(existsSync(join(tmpdir(), ASIDE))).toBe(false);
    expect(readFileSync(join(data, "a"), "utf8")).toBe("from the user's folder\n");
  });

  test("fail the job before its command where nothing is at the target", async () => {
    const { exitCode, reason, id } = await run({
      links: [{ path: "data", target: join(data, "no such") }],
      command: "touch ../ran",
    });
    expect([exitCode, reason]).toEqual([
      null,
      expect.stringContaining(`Could not link data: there is no ${join(data, "no such")} here`),
    ]);
    expect(existsSync(join(bench.serverDir, "jobs", id, "ran"))).toBe(false);
  });
});
