import { Database } from "bun:sqlite";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { spawn } from "node:child_process";
import { readlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { WireJob } from "../../../src/wire/job.ts";
import { type Finished, NX, runProgram } from "../../support/programs.ts";
import { createWorld, endJobs, type World } from "../../support/world.ts";

let world: World;

beforeAll(async () => {
  world = await createWorld();
  await world.startServer();
});

afterAll(() => world.dispose());

afterEach(() => endJobs(world.url));

const bash = (script: string): Promise<Finished> =>
  runProgram(["bash", "-c", script], { env: { ...world.env, NX }, cwd: world.home });

const RUN = '"$NX" run -c --no-git';

const countJobs = async (): Promise<number> =>
  ((await (await fetch(`${world.url}/v1/jobs?limit=10000`)).json()) as readonly WireJob[]).length;

const findLast = async (): Promise<WireJob> => {
  const jobs = (await (await fetch(`${world.url}/v1/jobs?limit=10000`)).json()) as readonly WireJob[];
  return jobs.toSorted((a, b) => b.created_at - a.created_at)[0] as WireJob;
};

const write = (name: string, content: string | Uint8Array): void => writeFileSync(join(world.home, name), content);

describe("standard input of nx run", () => {
  test.each([
    ["a pipe", `echo 'print(6 * 7)' | ${RUN} python3 -`, "13 bytes", "42"],
    ["a file", `${RUN} bash < job.sh`, "16 bytes", "from a file"],
    ["a file that was read in part", `{ read -r; ${RUN} cat; } < lines`, "9 bytes", "two\nthree"],
    ["a here-document", `${RUN} cat <<EOF\na\nb\nEOF`, "4 bytes", "a\nb"],
    ["a pipe that is slow", `{ echo a; sleep 1.2; echo b; } | ${RUN} cat`, "4 bytes", "a\nb"],
  ])("is the job's, from %s", async (_what, script, size, shown) => {
    write("job.sh", "echo from a file");
    write("lines", "one\ntwo\nthree");
    const ran = await bash(script);
    expect([ran.exitCode, ran.stderr]).toEqual([
      0,
      expect.stringContaining(`${size} of standard input go with the job`),
    ]);
    expect(ran.stdout).toContain(shown);
    expect((await findLast()).input_artifact_id).toMatch(/^[0-9a-f]+$/);
  });

  test("reaches it byte for byte, to the last of 8 MiB, and a byte more is refused before anything is submitted", async () => {
    write("most", Buffer.alloc(8 * 1024 * 1024, "\0\x04\x03\r\n\xffx", "latin1"));
    const whole = await bash(`${RUN} 'sha256sum; ls ..' < most; sha256sum < most`);
    const [digest] = whole.stdout.trimEnd().split("\n").slice(-1);
    expect(whole.stdout.split(digest ?? "?")).toHaveLength(3);
    expect(whole.stdout).not.toContain("input");
    const before = await countJobs();
    for (const script of [`{ cat most; echo; } | ${RUN} cat`, `echo >> most; ${RUN} cat < most`, `yes | ${RUN} cat`]) {
      const refused = await bash(script);
      expect([refused.exitCode, refused.stdout]).toEqual([2, ""]);
      expect(refused.stderr).toBe(
        "nx: standard input is larger than 8 MiB, more than can go with a job: write it to a file that the job can read\n",
      );
    }
    expect(await countJobs()).toBe(before);
  });

  test.each([
    ["/dev/null", `${RUN} true < /dev/null`],
    ["closed", `${RUN} true <&-`],
    ["an empty pipe", `true | ${RUN} true`],
    ["an empty file", `: > empty; ${RUN} true < empty`],
    ["a folder", `${RUN} true < .`],
  ])("is none where it is %s", async (_what, script) => {
    const ran = await bash(script);
    expect([ran.exitCode, ran.stderr]).toEqual([0, expect.not.stringContaining("input")]);
    expect((await findLast()).input_artifact_id).toBeNull();
  });

  test("is waited for on a pipe that stays open, and after a second that is said", async () => {
    const ran = await bash(
      `until grep -q Reading said; do sleep 0.05; done 2>/dev/null | ${RUN} echo done 2> said; cat said`,
    );
    expect(ran.stdout).toContain(
      "Reading standard input, which goes with the job: end it with Ctrl-D, or do without by < /dev/null",
    );
    expect((await findLast()).input_artifact_id).toBeNull();
  });

  test("is waited for also after a first piece, which is said once", async () => {
    const ran = await bash(`{ echo a; sleep 1.2; echo b; sleep 1.2; } | ${RUN} cat`);
    expect([ran.exitCode, ran.stderr.split("Reading standard input").length]).toEqual([0, 2]);
    expect(ran.stdout).toContain("a\nb");
  });

  test("is none on a socket that says nothing, as of a shell over SSH", async () => {
    const child = spawn(NX, ["run", "-c", "--no-git", "-q", "true"], { env: world.env, cwd: world.home });
    expect(readlinkSync(`/proc/${child.pid}/fd/0`)).toStartWith("socket:");
    const { promise, resolve } = Promise.withResolvers<number | null>();
    child.on("close", resolve);
    expect(await promise).toBe(0);
    child.stdin.end();
    expect((await findLast()).input_artifact_id).toBeNull();
  });

  test("is left alone by nx add, so that a loop over it goes on", async () => {
    write("lines", "a\nb\n");
    const added = await bash('while read -r x; do "$NX" add -q -c --no-git "echo $x"; done < lines');
    expect(added.stdout.trim().split("\n")).toHaveLength(2);
  });

  test("is shown, told by nx diff, and used again by nx redo, until it is gone", async () => {
    const first = (await bash(`echo again | ${RUN} -q cat`)).stdout.trim();
    await world.waitFor(first);
    const { input_artifact_id: input } = await world.job(first);
    expect((await bash(`"$NX" get ${first}`)).stdout).toMatch(new RegExp(`^stdin +${input}$`, "m"));
    const second = (await bash(`"$NX" redo -q ${first}`)).stdout.trim();
    expect(await world.waitFor(second)).toMatchObject({ status: "completed", input_artifact_id: input });
    expect((await bash(`"$NX" logs ${second}`)).stdout).toContain("again");
    const other = (await bash(`${RUN} -q cat < /dev/null`)).stdout.trim();
    expect((await bash(`"$NX" diff ${first} ${other}`)).stdout).toContain(`stdin\n- ${input}`);
    const db = new Database(join(String(world.env["NS_SERVER_DIR"]), "jobs.db"));
    db.exec("pragma busy_timeout = 5000");
    db.query("update artifacts set is_complete = 0 where id = ?").run(input);
    db.close();
    const gone = await bash(`"$NX" redo ${first}`);
    expect([gone.exitCode, gone.stdout, gone.stderr]).toEqual([
      6,
      "",
      `nx: the standard input of job ${first} is no longer kept; give it anew with nx run\n`,
    ]);
  });

  test("is said by --dry-run, which sends nothing", async () => {
    const shown = await bash(`echo a | ${RUN} --dry-run cat`);
    expect(shown.stderr).toContain("2 bytes of standard input go with the job");
    expect(JSON.parse(shown.stdout)).not.toHaveProperty("input_artifact_id");
  });

  test("is not promised to who must queue instead", async () => {
    const holder = (await bash('"$NX" run -q -g 2 --no-git sleep 300 < /dev/null')).stdout.trim();
    await world.waitFor(holder, ["running"]);
    const refused = await bash('echo a | "$NX" run --no-git cat');
    expect(refused.stderr).toContain("queue it with: nx add …, which takes no standard input");
  });
});

describe("the umask of the submitting shell", () => {
  test.each(["run", "add"])("holds for the command of nx %s, and for its redo", async (verb) => {
    const first = (await bash(`umask 027; "$NX" ${verb} -q -c --no-git 'umask; : > made'`)).stdout.trim();
    expect(await world.waitFor(first)).toMatchObject({ umask: "0027", status: "completed" });
    expect((await bash(`"$NX" logs ${first}`)).stdout).toContain("0027");
    const second = (await bash(`umask 077; "$NX" redo -q ${first}`)).stdout.trim();
    expect((await world.waitFor(second)).umask).toBe("0027");
  });

  test("is 022 for a client that sends none", async () => {
    const { id } = await world.submit({ command: "umask", num_gpus: 0 });
    expect(await world.waitFor(id)).toMatchObject({ umask: "0022", status: "completed" });
    expect((await bash(`"$NX" logs ${id}`)).stdout).toContain("0022");
  });
});
