import { afterEach, beforeEach, expect, test } from "bun:test";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { killProcess, listProcessesWith } from "../../../tests/support/programs.ts";
import { createServerEnvironment } from "./server-environment.ts";

const SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
const LISTED = [
  ...["HOME", "USER", "LOGNAME", "SHELL", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "XDG_STATE_HOME", "XDG_RUNTIME_DIR"],
  ...["http_proxy", "https_proxy", "all_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"],
  ...["SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "NS_PORT", "NS_API_TOKEN"],
];
const OTHERS = [
  ...["VIRTUAL_ENV", "CONDA_PREFIX", "PYTHONPATH", "LD_LIBRARY_PATH", "LD_PRELOAD", "RANK", "SLURM_JOB_ID", "GIT_DIR"],
  ...[
    "MAKEFLAGS",
    "TMUX",
    "STY",
    "TERM",
    "NEXUS_JOB_ID",
    "Http_Proxy",
    "SHELLOPTS",
    "HOMEBREW",
    "XNS_PORT",
    "HF_TOKEN",
  ],
];

let home: string;

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "nexus-login-"));
});

afterEach(() => {
  for (const pid of listProcessesWith(`HOME=${home}`)) killProcess(pid);
  rmSync(home, { recursive: true });
});

const create = (more: NodeJS.ProcessEnv) => createServerEnvironment({ HOME: home, PATH: "/venv/bin", ...more }, home);

test("a server that is started has what is on the list, and nothing else of the shell", async () => {
  const listed = fc.constantFrom(...LISTED.filter((name) => name !== "SHELL" && name !== "HOME"));
  const names = fc.oneof(listed, fc.constantFrom(...OTHERS), fc.stringMatching(/^[A-Za-z_]{1,12}$/));
  await fc.assert(
    fc.asyncProperty(fc.dictionary(names, fc.string(), { noNullPrototype: true }), async (shell) => {
      const given: NodeJS.ProcessEnv = { ...shell, PATH: "/venv/bin", SHELL: undefined };
      const env = await createServerEnvironment(given, home);
      const isListed = (name: string): boolean => LISTED.includes(name) || /^(LC_|XDG_|NS_)./.test(name);
      const expected = Object.entries(given).filter(([name, value]) => isListed(name) && value !== undefined);
      expect(env).toEqual({ ...Object.fromEntries(expected), PATH: SYSTEM_PATH });
    }),
  );
});

test("its PATH is that of a login shell, whatever the profile prints or leaves behind, and sees no setting of the server", async () => {
  writeFileSync(
    join(home, ".profile"),
    'echo "welcome /x"; cat; env > "$HOME/seen"; sleep 100 & export PATH="$HOME/tools:$PATH"\n',
  );
  const { PATH } = await create({ SHELL: "/bin/bash", NS_API_TOKEN: "secret", VIRTUAL_ENV: "/venv", LANG: "C" });
  expect(PATH).toStartWith(`${home}/tools:`);
  expect(PATH).not.toContain("/venv");
  const seen = readFileSync(join(home, "seen"), "utf8");
  expect(seen).toContain("LANG=C");
  expect(seen).not.toMatch(/secret|venv/);
  expect(readdirSync(home).toSorted()).toEqual([".profile", "seen"]);
});

test("a login shell that takes too long is ended with all that it started, and the system's PATH is taken", async () => {
  writeFileSync(join(home, ".profile"), 'export PATH="/late:$PATH"; sleep 100; touch "$HOME/late"\n');
  expect((await create({ SHELL: "/bin/bash" }))["PATH"]).toBe(SYSTEM_PATH);
  expect(listProcessesWith(`HOME=${home}`)).toEqual([]);
  expect(existsSync(join(home, "late"))).toBe(false);
});

test.each(["/bin/false", "/nothing/there", "", "/bin/true", undefined])(
  "the system's PATH is taken where the login shell is %p",
  async (shell) => {
    expect((await create({ SHELL: shell }))["PATH"]).toBe(SYSTEM_PATH);
  },
);
