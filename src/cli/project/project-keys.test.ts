import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { parse } from "smol-toml";
import { listKeyMistakes } from "./project-keys.ts";

const check = (text: string): readonly string[] =>
  listKeyMistakes(parse(text)).map(({ name, problem }) => `${name} ${problem}`);

describe("a project file", () => {
  test("may set all there is, for each target anew", () => {
    const keys = `jobrc = "tools/jobrc.sh"\noutputs = ["runs/**", "!**/*.tmp"]\nlink = ["data", ".venv=/opt/venv"]
gpus = 2\npriority = -3\nnotify = ["discord"]\nlocal = true\n`;
    expect(check(`${keys}[env]\nSEED = "1"\n[target.lab]\n${keys}[target.lab.env]\nSEED = "2"\n`)).toEqual([]);
    expect(check("jobrc = false\noutputs = false\nlink = []\nnotify = []\n[target]\n")).toEqual([]);
  });

  test.each([
    ["gpu = 1", "gpu is no key; did you mean gpus?"],
    ["ouputs = false", "ouputs is no key; did you mean outputs?"],
    ['shell = "zsh"', "shell is no key; there are: jobrc, outputs, link, env, gpus, priority, notify, local, target"],
    ['[targets.lab]\nhost = "x"', "targets is no key; did you mean target?"],
    ["toString = 1", "toString is no key; there are: jobrc"],
    ["[target.lab]\nlnk = []", "target.lab.lnk is no key; did you mean link?"],
    ["[target.lab.target.x]", "target.lab.target is no key; there are: jobrc"],
    ["target = 1", "target is a table for each target, as [target.lab]"],
    ["[target]\ngpus = 1", "target.gpus is a table for each target, as [target.lab]"],
  ])("names a key that there is not, and the one that is meant: %j", (text, mistake) => {
    expect(check(text)).toEqual([expect.stringContaining(mistake)]);
  });

  test.each([
    ['gpus = "2"', "gpus is a whole number from 0 to 1024"],
    ["gpus = 1.5", "gpus is a whole number from 0 to 1024"],
    ["gpus = -1", "gpus is a whole number from 0 to 1024"],
    ["priority = 9999", "priority is a whole number from -9999 to 9998"],
    ["local = 1", "local is true or false"],
    ['notify = ["pigeon"]', "notify is a list of: discord"],
    ['notify = "discord"', "notify is a list of: discord"],
    ["jobrc = true", "jobrc is the path of a file in quotes, or false"],
    ['jobrc = "../jobrc"', 'jobrc has "../jobrc": The path begins at the top of the code'],
    ['jobrc = "/etc/profile"', 'jobrc has "/etc/profile": The path begins at the top'],
    ['jobrc = ""', 'jobrc has "": The path is the top itself'],
    ["outputs = true", "outputs is a list of patterns in quotes, or false"],
    ["outputs = []", "outputs has no pattern; to keep no file it is false"],
    ['outputs = ["!a"]', 'outputs has "!a": The first pattern takes out of nothing'],
    ['outputs = ["a", "../b"]', 'outputs has "../b": The pattern can match nothing'],
    ['link = "data"', "link is a list of paths in quotes"],
    ["link = [1]", "link is a list of paths in quotes"],
    ['link = ["data", "../x"]', 'link has "../x": The path begins at the top of the code'],
    ['link = [".git"]', 'link has ".git": The path is in .git'],
    ['link = ["."]', 'link has ".": The path is the top itself'],
    ['link = ["/data"]', 'link has "/data": The path begins at the top of the code'],
    ['link = ["a\\u0000"]', "The path contains a NUL byte"],
    ['link = ["data", "./data/"]', "link is wrong: data is linked twice"],
    ['link = ["data/x", "data"]', "link is wrong: data/x lies in another link"],
    ["env = 1", "env is a table of variables"],
    ["[env]\nSEED = 1", "env.SEED is a text in quotes"],
    ['[env]\n"A B" = "1"', "env.A B is no name of a variable"],
    ["[target.lab.env]\nSEED = true", "target.lab.env.SEED is a text in quotes"],
  ])("names a value that a key can't have: %j", (text, mistake) => {
    expect(check(text)).toEqual([expect.stringContaining(mistake)]);
  });

  test.each([
    ["WANDB_API_KEY", "abc123def"],
    ["HF_TOKEN", "hf_x"],
    ["DB_PASSWORD", "1234567"],
    ["DATABASE", "postgres://ann:hidden@db/x"],
  ])("is no place for a secret: %s=%s", (name, value) => {
    const [mistake, ...others] = check(`[env]\n${name} = "${value}"`);
    expect([mistake, others]).toEqual([expect.stringContaining(`env.${name} looks like a secret`), []]);
    expect(mistake).toMatch(/nx env set.*\.\/\.env/);
    expect(mistake).not.toContain(value);
  });

  test.each([
    ["TOKENIZERS_PARALLELISM", "false"],
    ["MAX_TOKENS", "2048"],
    ["WANDB_PROJECT", "resnet-50-baseline-2024"],
    ["MASTER", "https://example.org/x"],
  ])("takes what only sounds like one: %s=%s", (name, value) => {
    expect(check(`[env]\n${name} = "${value}"`)).toEqual([]);
  });

  test("is told all of its mistakes, and none makes the check fail itself", () => {
    const json = fc.dictionary(fc.constantFrom("gpus", "link", "env", "target", "outputs", "x"), fc.jsonValue());
    fc.assert(
      fc.property(json, (table) => {
        const names = listKeyMistakes(table).map(({ name }) => name);
        expect(names.includes("x")).toBe(Object.hasOwn(table, "x"));
      }),
    );
  });
});
