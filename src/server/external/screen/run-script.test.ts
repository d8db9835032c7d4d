import { describe, expect, onTestFinished, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { quoteWord } from "../../../base/quote-word.ts";
import { UNKNOWN_CODE } from "../../core/jobs/job.ts";
import { deriveLaunchToken } from "../../core/jobs/launch-token.ts";
import { renderCommandScript, renderOuterScript } from "./run-script.ts";

const job = { command: "echo hi", jobrc: null, artifactId: null, links: [], code: UNKNOWN_CODE };

const runBash = (script: string): string => spawnSync("bash", ["-c", script]).stdout.toString();

describe("quoteWord", () => {
  test("gives bash back any text", () => {
    const text = fc.string({ unit: "grapheme", maxLength: 40 }).filter((value) => !value.includes("\0"));
    fc.assert(
      fc.property(fc.array(text, { maxLength: 20 }), (texts) => {
        const printed = runBash(`printf '%s\\0' ${texts.map(quoteWord).join(" ")}`);
        expect(printed).toBe(texts.length === 0 ? "\0" : texts.map((value) => `${value}\0`).join(""));
      }),
      { numRuns: 30 },
    );
  });

  test.each(["'", "''", "\\'", '$(id) `id` "$x"', "a\nb", "!\t🚀"])("keeps %p", (text) => {
    expect(runBash(`printf %s ${quoteWord(text)}`)).toBe(text);
  });
});

describe("deriveLaunchToken", () => {
  test("differs for launches a microsecond apart, and fits a file name", () => {
    const tokens = [1_700_000_000, 1_700_000_000.000001, 1_700_000_000.5].map((startedAt) =>
      deriveLaunchToken({ startedAt }),
    );
    expect(new Set(tokens).size).toBe(3);
    for (const token of tokens) expect(token).toMatch(/^[a-z0-9]+$/);
  });
});

describe("the scripts", () => {
  test("are bash, whatever the command and the jobrc", () => {
    const artifactId = "a" as never;
    for (const script of [
      renderOuterScript({ startedAt: 1 }),
      renderCommandScript({ ...job, artifactId, jobrc: "if [ '" }),
    ]) {
      expect(spawnSync("bash", ["-n"], { input: script }).stderr.toString()).toBe("");
    }
  });

  test("the outer one claims its launch before anything else", () => {
    const script = renderOuterScript({ startedAt: 1_700_000_000 });
    expect(script).toContain(`claim-${deriveLaunchToken({ startedAt: 1_700_000_000 })}`);
    expect(script).not.toContain("echo hi");
  });

  test("the inner one runs the command as it is, after its text", () => {
    const command = "cat <<'EOF'\n$x 'y'\nEOF";
    const script = renderCommandScript({ ...job, command });
    const { stdout } = spawnSync("bash", ["-c", script], { cwd: makeJobFolder(), encoding: "utf8" });
    expect(stdout).toBe(`${command}\n$x 'y'\n`);
  });

  test("the inner one unpacks only if there is an artifact", () => {
    expect(renderCommandScript(job)).not.toContain("tar ");
    expect(renderCommandScript({ ...job, artifactId: "a" as never })).toContain("tar --extract --file=artifact");
  });
});

const makeJobFolder = (): string => {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "nexus-script-")));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  mkdirSync(join(folder, "repo"));
  return folder;
};

const runIn = (folder: string, workdir: string | null, jobrc: string | null = null) => {
  const code = { commit: null, tree: null, isDirty: null, workdir };
  const input = renderCommandScript({ ...job, command: 'echo "ran in $PWD"', jobrc, code });
  const env = { ...process.env, CDPATH: "/" };
  const { status, stdout } = spawnSync("bash", ["-c", input], { cwd: folder, encoding: "utf8", env });
  return { status, stdout: stdout.split("\n").slice(1).join("\n") };
};

describe("the folder in which the user stands", () => {
  test.each(["sub", "a/b c/$(touch x)", "-rf", "-", "'", "tmp"])("is where the job runs: %p", (workdir) => {
    const folder = makeJobFolder();
    const inside = join(folder, "repo", workdir);
    expect(runIn(folder, workdir)).toEqual({ status: 0, stdout: `ran in ${inside}\n` });
    mkdirSync(inside, { recursive: true });
    expect(runIn(folder, workdir, "echo mine; cd ..")).toMatchObject({
      stdout: expect.stringMatching(/^mine\nran in /),
    });
  });

  test("ends the job where it can't be entered, and neither jobrc nor command runs elsewhere", () => {
    const folder = makeJobFolder();
    writeFileSync(join(folder, "repo", "sub"), "a file");
    expect(runIn(folder, "sub", "echo mine")).toEqual({ status: 1, stdout: "" });
    expect(runIn(folder, "sub/deeper")).toEqual({ status: 1, stdout: "" });
  });

  test("is the top of the code where none is named", () => {
    const folder = makeJobFolder();
    expect(runIn(folder, null)).toEqual({ status: 0, stdout: `ran in ${join(folder, "repo")}\n` });
  });
});

describe("where the job imports from", () => {
  const ROOT = "/home/a d'a/code*";

  const importIn = (folder: string, imports: string | undefined, root: string | undefined = ROOT): string => {
    const code = { ...UNKNOWN_CODE, ...(root === undefined ? {} : { root }) };
    const input = renderCommandScript({ ...job, command: 'printf %s "${PYTHONPATH-none}|$entry$copy$root"', code });
    const passed = imports === undefined ? {} : { NEXUS_PASS_PYTHONPATH: imports };
    const env = { PATH: process.env["PATH"], NEXUS_PASS_NEXUS_OUTPUT_DIR: `${folder}/outputs`, ...passed };
    return spawnSync("bash", ["-c", input], { cwd: folder, encoding: "utf8", env })
      .stdout.split("\n")
      .slice(1)
      .join("\n");
  };

  test("is the copy of what was taken from the user's folder, in the same order", () => {
    const folder = makeJobFolder();
    const given = `/opt/lib:${ROOT}/src:${ROOT}::rel:${ROOT}/../x:${ROOT}more:`;
    const placed = `/opt/lib:${folder}/repo/src:${folder}/repo::rel:${ROOT}/../x:${ROOT}more:`;
    expect(importIn(folder, given)).toBe(`${placed}|`);
    expect(importIn(folder, `${ROOT}/a\nb`, `${ROOT}/`)).toBe(`${folder}/repo/a\nb|`);
  });

  test("is the user's folder where that has what did not travel", () => {
    const folder = makeJobFolder();
    const root = join(folder, "user");
    for (const path of ["user/sent", "user/ignored", "repo/sent"]) mkdirSync(join(folder, path), { recursive: true });
    expect(importIn(folder, `${root}/sent:${root}/ignored:${root}/made`, root)).toBe(
      `${folder}/repo/sent:${root}/ignored:${folder}/repo/made|`,
    );
  });

  test.each([undefined, ""])("is left alone where it is %p", (imports) => {
    expect(importIn(makeJobFolder(), imports)).toBe(`${imports ?? "none"}|`);
  });

  test("is left alone where no folder is known", () => {
    const folder = makeJobFolder();
    const code = UNKNOWN_CODE;
    expect(renderCommandScript({ ...job, artifactId: "a" as never, code })).not.toContain("PYTHONPATH");
    expect(importIn(folder, "/x:")).toBe("/x:|");
  });
});
