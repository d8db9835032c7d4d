import { describe, expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { type JobSpec, UNKNOWN_CODE } from "../../core/jobs/job.ts";
import type { Environment } from "../../core/store.ts";
import { renderCommandScript } from "./run-script.ts";

type Told = Partial<Pick<JobSpec, "command" | "jobrc" | "umask" | "inputId">>;

const LIMIT_MS = 20_000;

const run = (told: Told, devices: Environment = {}, env: Environment = {}) => {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "nexus-command-")));
  mkdirSync(join(folder, "repo"));
  writeFileSync(join(folder, "input"), "from outside\n");
  const job = { command: "echo ran", jobrc: null, artifactId: null, links: [], code: UNKNOWN_CODE, ...told };
  writeFileSync(join(folder, "job_commands.sh"), renderCommandScript(job, { devices }));
  const passed = Object.fromEntries(Object.entries(env).map(([name, value]) => [`NEXUS_PASS_${name}`, value]));
  const { status, stdout, stderr } = spawnSync("bash", ["job_commands.sh"], {
    ...{ cwd: folder, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"], timeout: LIMIT_MS },
    env: { PATH: process.env["PATH"] ?? "", ...passed },
  });
  const line = existsSync(join(folder, "jobrc_line")) ? readFileSync(join(folder, "jobrc_line"), "utf8").trim() : null;
  const hasInput = existsSync(join(folder, "input"));
  rmSync(folder, { recursive: true });
  return {
    status,
    line,
    output: stdout.split("\n").slice(job.command.split("\n").length).join("\n"),
    errors: stderr,
    hasInput,
  };
};

const readJobrc = (jobrc: string, command = "echo ran") => run({ jobrc, command });

describe("a jobrc", () => {
  test.each([
    ["ends with a failing command", "export A=1\nfalse\necho later", 1, "2"],
    ["ends with a program's code", "sh -c 'exit 7'", 7, "1"],
    ["names a program that is not there", "\n\nnosuch-program", 127, "3"],
    ["can't be parsed", "echo a\nif true; then\necho b", 2, "4"],
    ["has an open quote", 'echo a\necho "b\necho c', 2, "2"],
    ["has a word where none can be", "echo a\necho b )", 2, "2"],
    ["uses patterns that are off", "echo a\nls !(x)\n", 2, "2"],
    ["exits", "echo a\nexit 3", 3, "2"],
    ["exits with 0", "echo a\nexit 0", 0, "2"],
    ["exits in a function", "f() {\n  exit 4\n}\nf", 4, "4"],
    ["returns a failure", "echo a\nreturn 5", 5, "2"],
    ["becomes another program", "echo a\nexec true", 0, "2"],
    ["kills its shell", "echo a\nkill -9 $$", null, "2"],
    ["fails in a subshell", "echo a\n(exit 6)", 6, "2"],
    ["fails at the end of a pipe", "true\ntrue | false", 1, "2"],
    ["fails right of &&", "true\ntrue && false", 1, "2"],
    ["fails in a branch", "if true; then\n  false\nfi", 1, "2"],
    ["fails in a loop", "for x in 1 2; do\n  [ $x = 1 ]\ndone", 1, "2"],
    ["fails in a case", "case a in\n  a) false ;;\nesac", 1, "2"],
    ["fails in a group", "{\n  false\n}", 1, "2"],
    ["fails by a function", "f() { false; }\n\nf", 1, "3"],
    ["fails by what it sources", "\nsource <(echo true; echo false)", 1, "2"],
    ["fails in a test", "true\n[[ a == b ]]", 1, "2"],
    ["fails where a value comes from", "true\nx=$(false)", 1, "2"],
    ["fails after set -e", "set -e\nfalse", 1, "2"],
    ["fails in a function after set -e", "set -e\nf() { false; true; }\nf", 1, "3"],
    ["fails after set -E in a function", "set -E\nf() { false; true; }\nf\nfalse", 1, "4"],
    ["uses an unset variable after set -u", "set -u\necho $nosuch_name", 1, "2"],
    ["fails after a trap of its own", "trap 'echo mine' ERR\nfalse", 1, "2"],
    ["fails in a subshell after a trap of its own", "trap 'echo mine' ERR\n(exit 3)", 3, "2"],
    ["fails after it gave that trap back", "trap - ERR\nfalse", 1, "2"],
    ["fails after a file gave that trap back", "source <(echo 'trap : ERR; trap - ERR')\n(exit 3)", 3, "2"],
    ["fails after a trap that ends well", "trap 'exit 0' ERR\ntrue\nfalse", 1, "3"],
    ["fails after set -C", "set -C\nfalse", 1, "2"],
    ["stops bash from running anything", "set -n\nfalse", 0, "1"],
    ["exits, with a trap for that", "trap 'true; true' EXIT\n\nexit 9", 9, "3"],
    ["fails in a function after set -e, with a trap for that", "trap true EXIT\nset -e\nf() { false; }\nf", 1, "4"],
    ["fails elsewhere", "cd /\nfalse", 1, "2"],
    ["fails at the end of a here-document", "cat <<EOF | false\na\nEOF", 1, "3"],
  ] as const)("fails the job before its command where it %s", (_what, jobrc, status, line) => {
    expect(readJobrc(jobrc)).toMatchObject({ status, line, output: expect.not.stringContaining("ran") });
  });

  test.each([
    ["is empty", ""],
    ["is remarks", "#!/bin/bash\n# nothing"],
    ["has a failing condition", "if false; then echo a; fi\nwhile false; do :; done\nuntil true; do :; done"],
    ["fails left of && or ||", "false && true\nfalse || true\n{ false; true; } || true"],
    ["fails left of && as the last", "[ -f /nosuch ] && source /nosuch"],
    ["fails on purpose", "! true\n! false"],
    ["fails in the middle of a pipe", "false | true"],
    ["fails in what it sources, which goes on", "source <(echo false; echo true)"],
    ["fails in a function that goes on", "f() { false; true; }\nf"],
    ["fails in a subshell that goes on", "(false; true)"],
    ["fails in the background", "false &\nwait"],
    ["returns early", "true && return 0\nfalse"],
    ["returns early after a failing condition", "[ -n '' ] || return 0\nfalse"],
    ["sets each kind of option", "set -e -u -x -f -C -v\nshopt -s nullglob extglob\n[ -f /nosuch ] && true"],
    ["uses patterns that it turned on", "shopt -s extglob\ncase a in !(b)) true ;; esac\n[ -f /nosuch ] && true"],
    ["reads an unset variable", "echo $nosuch_name >/dev/null"],
    ["has a here-document that nothing ends", "cat >/dev/null <<EOF"],
    ["ends in an escaped end of line", "true \\"],
    ["has a here-document", "cat <<EOF >/dev/null\nfalse\nEOF"],
  ])("lets the command run where it %s", (_what, jobrc) => {
    expect(readJobrc(jobrc)).toMatchObject({ status: 0, output: expect.stringMatching(/ran\n$/) });
    expect(readJobrc(jobrc).line ?? "").toBe("");
  });

  test("gives the command its variables, functions and folder, and none of bash's options", () => {
    const jobrc =
      "a=1\nexport B=2\nc=(x y)\nf() { echo called; }\nset -euxfC; shopt -s nullglob expand_aliases\nset -o posix\ncd /\nalias ll=ls";
    const command = 'echo "$a $B ${c[1]} $(f) $PWD"; echo "$SHELLOPTS"; shopt nullglob expand_aliases | tr "\\n" " "';
    const { output } = readJobrc(jobrc, command);
    expect(output.split("\n")).toEqual([
      "1 2 y called /",
      "braceexpand:hashall:interactive-comments:pipefail",
      "nullglob       \toff expand_aliases \toff ",
    ]);
  });

  test("with a here-document that nothing ends has in it what stands there", () => {
    expect(readJobrc("cat <<EOF\na\n\nb").output).toBe("a\n\nb\nran\n");
  });

  test("leaves the command no name of Nexus's own but what judges its end, and no trap but its own", () => {
    const jobrc = "trap 'echo bye' EXIT";
    const { output } = readJobrc(jobrc, "compgen -v nexus_; trap -p EXIT DEBUG; declare -F");
    expect(output.split("\n")).toEqual([
      ...["nexus_command", "nexus_marked", "trap -- 'echo bye' EXIT"],
      ...["count_reaped", "finish", "is_plain", "mark"].map((name) => `declare -f nexus_${name}`),
      ...["bye", ""],
    ]);
  });

  const good = fc.constantFrom(
    ...[
      "true",
      "a=1",
      "false || true",
      "false && true",
      "if false; then\n  :\nfi",
      "f() {\n  false\n  true\n}\nf",
      "(false; true)",
    ],
    ...[
      "cat <<EOF >/dev/null\nfalse\nEOF",
      'b="x\ny"',
      "source <(echo false; echo true)",
      "set -u",
      "trap : ERR",
      "trap - ERR",
      "! true",
      "false | true",
    ],
    ...[
      "for x in 1 2; do\n  :\ndone",
      "case a in\n  a) : ;;\nesac",
      "# false",
      "",
      "trap : EXIT",
      "shopt -s expand_aliases\nalias x=false",
    ],
  );
  const bad = fc.constantFrom(
    "false",
    "nosuch-program",
    "(exit 3)",
    "exit 0",
    "exit 9",
    "return 2",
    "true | false",
    "f2() { false; }; f2",
    "exec true",
    "[[ a == b ]]",
  );

  test("fails at the line of its first failing command, whatever stands before and after it", () => {
    fc.assert(
      fc.property(fc.array(good, { maxLength: 5 }), bad, fc.array(good, { maxLength: 2 }), (before, failing, after) => {
        const jobrc = [...before, failing, ...after].join("\n");
        const line = String([...before, failing].join("\n").split("\n").length);
        const seen = readJobrc(jobrc);
        expect({ line: seen.line, hasRun: seen.output.includes("ran") }).toEqual({ line, hasRun: false });
      }),
      { numRuns: 40 },
    );
  });

  test("of nothing that fails lets the command run", () => {
    fc.assert(
      fc.property(fc.array(good, { maxLength: 8 }), (parts) => {
        const seen = readJobrc(parts.join("\n"));
        expect({ status: seen.status, line: seen.line ?? "", hasRun: seen.output.includes("ran") }).toEqual({
          status: 0,
          line: "",
          hasRun: true,
        });
      }),
      { numRuns: 40 },
    );
  });
});

const endOf = (command: string, jobrc: string | null = null): number | null => run({ command, jobrc }).status;

describe("a command that ends with a pipe", () => {
  test.each([
    "yes | head -n 1",
    "gzip -c /proc/self/exe | zcat | head -c 10",
    "yes | head -n 1 # a remark",
    "yes |\nhead -n 1\n# a remark\n",
    "yes | cat | head -n 1",
    "yes | grep -q y",
    "yes 'a | b' | sed -n '1q'",
    "yes $(echo y) ${HOME} | head -n 1",
    "if true; then yes | head -n 1; fi",
    "for i in 1 2; do yes | head -n 1; done",
    "false || yes | head -n 1",
    "true && yes | head -n 1",
    "yes | while read x; do break; done",
    "yes | { read x; }",
    "yes | (read x)",
    "yes | head -n 1 | tee log",
    "yes | tee log | head -n 1",
    "trap 'echo bye' EXIT; yes | head -n 1",
    "set -u; yes | head -n 1",
    "set -x; yes | head -n 1",
    "cat <<EOF >/dev/null; yes | head -n 1\n$(false)\nEOF",
    "yes | head -n 1; true",
    "yes | head -n 1 &",
    "! yes | head -n 1",
    "seq 1 3 | tee log",
  ])("is done where only SIGPIPE ended a program of it: %p", (command) => {
    expect(endOf(command)).toBe(0);
  });

  test.each([
    ["false | head", 1],
    ["false | tee log", 1],
    ["sh -c 'exit 3' | yes | head -n 1", 3],
    ["yes | (head -n 1; exit 3)", 3],
    ["yes | head -n 1; false", 1],
    ["yes | head -n 1; exit 3", 3],
    ["trap 'exit 4' EXIT; yes | head -n 1", 4],
    ["nosuch-program | head", 127],
    ['echo "a', 2],
    ["yes | head -n 1; (", 2],
    ["cat /proc/self/stat > /dev/null; sh -c 'kill -9 $$' | cat", 137],
  ])("keeps every other failure: %p", (command, code) => {
    expect(endOf(command)).toBe(code);
  });

  test.each([
    "yes | head -n 1 && echo train",
    "yes | head -n 1 && echo train || (exit 141)",
    "yes | head -n 1; yes | head -n 1 && echo train",
    "yes | head -n 1; (exit 141) && echo train",
    "yes | head -n 1; (exit 141) | head && echo train",
    "yes | head -n 1; x=$(yes | head -n 1) && echo train",
    "yes | head -n 1; eval '(exit 141) && echo train'",
    "f() { return 141; }; yes | head -n 1; f && echo train",
    "f() { return 141; }; yes | head -n 1; f",
    "f() { yes | head -n 1; }; f",
    "x=$(yes | head -n 1)",
    "exit 141",
    "yes | head -n 1; exit 141",
    "yes | head -n 1; (exit 141)",
    "sh -c 'exit 141'",
    "sh -c 'kill -PIPE $$'",
    "yes | head -n 1; sh -c 'exit 141'",
    "{ yes | head -n 1 && echo train; } | tee log",
    "(yes | head -n 1 && echo train) 2>&1 | tee log",
    "(yes | head -n 1 && echo train) | head -n 5",
    "{ yes | head -n 1 && echo train; } | head -n 5",
    "f() { yes | head -n 1 && echo train; }; f 2>&1 | head -n 5",
    "for i in 1; do yes | head -n 1 && echo train; done | head",
    "bash -o pipefail -c 'yes | head -n 1 && echo train' | tee log",
    "set -e; yes | head -n 1; echo train",
    "trap 'echo mine' ERR; yes | head -n 1",
  ])("has 141 where it is no such end, or where that is not sure: %p", (command) => {
    expect(endOf(command)).toBe(141);
  });

  test("and a signal by which its shell died is the shell's", () => {
    expect(run({ command: "yes | head -n 1; kill -PIPE $$" }).status).toBeNull();
  });

  test("says once what its own trap says", () => {
    expect(run({ command: "trap 'echo mine' ERR; false" })).toMatchObject({ status: 1, output: "mine\n" });
    expect(run({ command: "set -x; yes | head -n 1" }).errors).not.toContain("nexus_");
  });

  test("of a jobrc's trap for errors or set +o pipefail goes by bash's rule", () => {
    expect(endOf("yes | head -n 1", "set -o pipefail; trap : DEBUG")).toBe(0);
    expect(endOf("set +o pipefail; yes | head -n 1 && exit 7")).toBe(7);
  });

  const piece = fc.constantFrom(
    ...[
      "true",
      "yes | head -n 1",
      "(exit 141)",
      "f",
      "{ yes | head -n 1; }",
      "(exit 141) | head -n 1",
      "g",
      "false",
      "x=$(yes | head -n 1)",
    ],
  );
  const joint = fc.constantFrom("; ", "\n", " && ", " || ");
  const last = fc.constantFrom(" && touch trained", " && (exit 0)", " && true && true");

  test("never is done where what stands left of a last && failed", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(piece, joint), { maxLength: 4 }), piece, last, (before, failing, end) => {
        const list = before.map(([one, by]) => one + by).join("") + failing;
        const defined = "f() { return 141; }; g() { yes | head -n 1; }; ";
        const expected = spawnSync("bash", ["-o", "pipefail", "-c", `${defined}${list}${end}`], {
          cwd: tmpdir(),
        }).status;
        expect(endOf(`${defined}${list}${end}`)).toBe(expected);
      }),
      { numRuns: 60 },
    );
  });
});

describe("a job's devices", () => {
  const given = { CUDA_VISIBLE_DEVICES: "GPU-1,GPU-2" };
  const show = 'echo "$CUDA_VISIBLE_DEVICES"';

  test("are those that it was given, whatever its variables and its jobrc say, which is told", () => {
    expect(run({ command: show }, given, { CUDA_VISIBLE_DEVICES: "7" }).output).toBe(
      "Nexus: CUDA_VISIBLE_DEVICES=GPU-1,GPU-2 is what the job was given, so that of its variables is left out: 7\nGPU-1,GPU-2\n",
    );
    expect(run({ command: show, jobrc: `${show}; CUDA_VISIBLE_DEVICES='0 1'` }, given, given).output).toBe(
      "GPU-1,GPU-2\nNexus: CUDA_VISIBLE_DEVICES=GPU-1,GPU-2 is what the job was given, so that of its jobrc is left out: 0\\ 1\nGPU-1,GPU-2\n",
    );
    expect(run({ command: show, jobrc: "unset CUDA_VISIBLE_DEVICES" }, given, given).output).toContain(
      "left out: unset\n",
    );
  });

  test("are told only where they differ, and none stay none", () => {
    expect(run({ command: show, jobrc: "export CUDA_VISIBLE_DEVICES=GPU-1,GPU-2" }, given, given).output).toBe(
      "GPU-1,GPU-2\n",
    );
    const none = { CUDA_VISIBLE_DEVICES: "", HIP_VISIBLE_DEVICES: "-1" };
    const command = 'echo "[$CUDA_VISIBLE_DEVICES] $HIP_VISIBLE_DEVICES"';
    expect(run({ command, jobrc: "export CUDA_VISIBLE_DEVICES=0" }, none, none).output).toEndWith("\n[] -1\n");
  });

  test("can't be made unchangeable by a jobrc: the job fails", () => {
    expect(run({ command: show, jobrc: "readonly CUDA_VISIBLE_DEVICES=0" }, given, given).status).toBe(1);
  });
});

describe("what else a command sees", () => {
  test("is the umask of who sent it, 022 where none was sent, and that of its jobrc", () => {
    expect(run({ command: "umask" }).output).toBe("0022\n");
    expect(run({ command: "umask", umask: "0077", jobrc: "umask" }).output).toBe("0077\n0077\n");
    expect(run({ command: "umask", umask: "0002", jobrc: "umask 027" }).output).toBe("0027\n");
  });

  test("is its input, which its jobrc leaves alone and which does not stay on the disk", () => {
    const seen = run({ command: "cat; ls -A ..", jobrc: "cat", inputId: "a" as never });
    expect(seen).toMatchObject({ status: 0, output: expect.stringMatching(/^from outside\n/), hasInput: false });
    expect(run({ command: "cat" })).toMatchObject({ output: "", hasInput: true });
  });
});
