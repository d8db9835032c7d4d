import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createPipedNx, createUserEnvironment } from "../../support/piped-nx.ts";
import { NX } from "../../support/programs.ts";
import { openTmux } from "../../support/tmux-terminal.ts";

let home: string;

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "nexus-own-"));
});

afterEach(() => rmSync(home, { recursive: true, force: true }));

const nx = createPipedNx(() => home);

const locate = (name: string): string => join(home, ".nexus", name);
const read = (name: string): string => readFileSync(locate(name), "utf8");

const makeEditor = (script: string): NodeJS.ProcessEnv => {
  const path = join(home, "editor");
  writeFileSync(path, `#!/bin/sh\n${script}\n`, { mode: 0o700 });
  return { EDITOR: `${path} --wait` };
};

describe("nx env", () => {
  test("sets, lists masked, shows on demand and unsets, in a file for its owner alone", async () => {
    expect((await nx(["env", "set", "WANDB_API_KEY=top secret"])).stdout).toBe("WANDB_API_KEY is set.\n");
    expect((await nx(["env", "set", "PIPED", "--stdin"], "from a pipe\n")).exitCode).toBe(0);
    expect(statSync(locate(".env")).mode & 0o777).toBe(0o600);
    expect((await nx(["env"])).stdout).toBe("WANDB_API_KEY=********\nPIPED=********\n");
    expect((await nx(["env", "--json", "--clear"])).stdout).toBe(
      `${JSON.stringify({ WANDB_API_KEY: "top secret", PIPED: "from a pipe" }, null, 2)}\n`,
    );
    expect((await nx(["env", "unset", "PIPED"])).exitCode).toBe(0);
    expect((await nx(["env", "-q"])).stdout).toBe("WANDB_API_KEY\n");
    expect((await nx(["env", "unset", "PIPED"])).exitCode).toBe(5);
  });

  test("set without a value asks for it on a terminal, without echo", async () => {
    const terminal = await openTmux({ env: createUserEnvironment(home), cwd: home });
    try {
      terminal.type(`${NX} env set KEY; echo "ended $?"`);
      terminal.press("Enter");
      await terminal.waitFor("Value of KEY");
      terminal.type("hush-hush");
      terminal.press("Enter");
      expect(await terminal.waitFor("ended 0")).not.toContain("hush");
      expect(read(".env")).toBe("KEY=hush-hush\n");
    } finally {
      terminal.close();
    }
  });

  test.each([
    [["set", "KEY"], /asks on a terminal only/],
    [["set", "1X=2"], /takes NAME=VALUE/],
    [["set", "A=b", "c"], /one variable/],
    [["unset"], /one name/],
    [["shwo"], /did you mean show\?/],
    [["edit", "x"], /takes nothing more/],
  ] as const)("wrong usage: nx env %j", async (words, told) => {
    const finished = await nx(["env", ...words]);
    expect([finished.exitCode, finished.stdout, finished.stderr]).toEqual([2, "", expect.stringMatching(told)]);
    expect(existsSync(locate(".env"))).toBe(false);
  });

  test("a file that is a link stays one", async () => {
    await nx(["env", "set", "A=1"]);
    writeFileSync(join(home, "elsewhere"), "B=2\n");
    rmSync(locate(".env"));
    symlinkSync(join(home, "elsewhere"), locate(".env"));
    expect((await nx(["env", "set", "A=1"])).exitCode).toBe(0);
    expect(lstatSync(locate(".env")).isSymbolicLink()).toBe(true);
    expect(readFileSync(join(home, "elsewhere"), "utf8")).toBe("B=2\nA=1\n");
  });
});

describe("editing", () => {
  test("a right text takes the file's place, private and whole", async () => {
    const edited = await nx(["config", "edit"], "", makeEditor(`[ "$1" = --wait ] && echo 'user = "bob"' >>"$2"`));
    expect([edited.exitCode, edited.stdout]).toEqual([0, ""]);
    expect(read("config.toml")).toEndWith('\nuser = "bob"\n');
    expect(statSync(locate("config.toml")).mode & 0o777).toBe(0o600);
    expect(readdirSync(join(home, ".nexus"))).toEqual(["config.toml"]);
  });

  test.each([
    ["config", "user = ", /line 2: /],
    ["config", "default_notifications = ['pigeon']", /a list of: discord, phone/],
    ["env", "what is this", /line 2: /],
  ] as const)("a broken text (nx %s: %s) changes nothing and is told with its line", async (verb, line, told) => {
    await nx(["env", "set", "A=1"]);
    const edited = await nx([verb, "edit"], "", makeEditor(`echo "${line}" >>"$2"`));
    expect([edited.exitCode, edited.stderr]).toEqual([1, expect.stringMatching(told)]);
    expect(readdirSync(join(home, ".nexus"))).toEqual([".env"]);
    expect(read(".env")).toBe("A=1\n");
  });

  test.each([
    [{ EDITOR: "/nowhere/editor" }, 1, /can't be started/],
    [{ EDITOR: "false" }, 1, /failed, so nothing was changed/],
    [{}, 2, /needs a terminal/],
  ] as const)("an editor that does not work (%j) is told", async (env, exitCode, told) => {
    const edited = await nx(["jobrc", "edit"], "", env);
    expect([edited.exitCode, edited.stderr]).toEqual([exitCode, expect.stringMatching(told)]);
    expect(existsSync(locate(".jobrc"))).toBe(false);
  });

  test("on a terminal a broken text may be mended", async () => {
    const script = `if [ -e ~/once ]; then echo 'user = "bob"' >"$2"; else touch ~/once; echo 'user =' >"$2"; fi`;
    const terminal = await openTmux({ env: { ...createUserEnvironment(home), ...makeEditor(script) }, cwd: home });
    try {
      terminal.type(`${NX} config edit; echo "ended $?"`);
      terminal.press("Enter");
      await terminal.waitFor("Edit it again? [y/N]");
      terminal.type("y");
      terminal.press("Enter");
      await terminal.waitFor("ended 0");
      expect(read("config.toml")).toBe('user = "bob"\n');
    } finally {
      terminal.close();
    }
  });
});

describe("showing", () => {
  test("settings come with where they are from, secrets masked, unknown keys too", async () => {
    await nx(["env", "set", "A=1"]);
    writeFileSync(
      locate("config.toml"),
      'user = "ada"\ncolour = "blue"\n[targets.lab]\nhost = "box"\napi_token = "shh"\n',
    );
    const shown = await nx(["config"], "", { NEXUS_DEFAULT_NOTIFICATIONS: "phone" });
    expect(shown.stdout).toContain('user = "ada"\n');
    expect(shown.stdout).toMatch(/^default_notifications = \[ "phone" \] *# NEXUS_DEFAULT_NOTIFICATIONS$/m);
    expect(shown.stdout).toMatch(/^enable_git_tag_push = false *# default$/m);
    expect(shown.stdout).toContain('colour = "blue"\n[targets.lab]\nhost = "box"\napi_token = "********"\n');
    expect(JSON.parse((await nx(["config", "--json"])).stdout).targets.lab).toEqual({
      host: "box",
      api_token: "********",
    });
  });

  test("a jobrc shows what it does, not its secrets", async () => {
    await nx(["jobrc", "edit"], "", makeEditor(`printf 'module load cuda\\nexport HF_TOKEN=shh\\n' >"$2"`));
    expect((await nx(["jobrc"])).stdout).toBe("module load cuda\nexport HF_TOKEN=********\n");
    expect((await nx(["jobrc", "--clear"])).stdout).toContain("HF_TOKEN=shh");
  });

  test("whatever the spelling, no secret of a jobrc is shown", async () => {
    const spellings = [
      "export DB_PWD=hush-1 SESSION_COOKIE='hush-2\nhush-3' # it's new",
      'AWS_CRED="hush-4 $(cat "hush-5")" SENTRY_DSN=$\'hush\\\'-6\' login --token hush-7',
      "cat >~/.netrc <<-END\nmachine example.org password hush-8\n\tEND",
      "bash -c 'export API_KEY=hush-9; run hush-9'",
      "# export OLD_TOKEN=hush-10\ngit clone https://ada:hush-11@example.org/x",
    ];
    await nx(["jobrc", "edit"], "", makeEditor(`cat >"$2" <<'EDITED'\n${spellings.join("\n")}\nEDITED`));
    expect(read(".jobrc")).toBe(`${spellings.join("\n")}\n`);
    for (const words of [["jobrc"], ["jobrc", "--json"]]) {
      const { exitCode, stdout } = await nx(words);
      expect([exitCode, stdout]).toEqual([0, expect.not.stringContaining("hush")]);
      for (const kept of ["DB_PWD=", "# it's new", "bash -c 'export API_KEY=", "@example.org/x"])
        expect(stdout).toContain(kept);
    }
  });

  test("no secret of the settings is shown, however it is nested, and no password in a URL", async () => {
    mkdirSync(join(home, ".nexus"));
    writeFileSync(
      locate("config.toml"),
      [
        'db_pwd = "hush-1"\nmirror = "https://ada:hush-2@example.org"\nauth = ["hush-3", { any = "hush-4" }]',
        '[targets.key-box]\nhost = "box"\napi_token = "hush-5"\n[plugins.x]\nsession_cookie = 8888\nseed = 1\n',
      ].join("\n"),
    );
    for (const words of [["config"], ["config", "--json"]]) {
      const { exitCode, stdout } = await nx(words);
      expect([exitCode, stdout]).toEqual([0, expect.not.stringMatching(/hush|8888/)]);
      for (const kept of ["https://ada:********@example.org", "key-box", '"box"']) expect(stdout).toContain(kept);
    }
  });
});
