import { describe, expect, test } from "bun:test";
import { parse } from "smol-toml";
import { type ConfigChange, editConfigText } from "./config-edit.ts";

const FILE = `# first line
user = "ada"   # who
colour = "blue" # nobody knows this key

[targets.lab] # the big one
host = "gpu-box" # by the window
port = 54323

[plugins.mine]
since = 2024-05-01
sizes = [1, # one
  2]
`;

test("a changed option changes its value and nothing else", async () => {
  expect(await editConfigText(FILE, { options: { user: "bob" } })).toBe(FILE.replace('"ada"', '"bob"'));
});

test("a new target is a table at the end", async () => {
  const edited = await editConfigText(FILE, { targets: { home: { host: "::1", port: 1, api_token: 'a"b\\' } } });
  expect(edited).toBe(`${FILE}\n[targets.home]\nhost = "::1"\nport = 1\napi_token = "a\\"b\\\\"\n`);
});

test("a removed target takes its own comments with it and leaves those of others", async () => {
  const edited = (await editConfigText(FILE, { targets: { lab: null } })) ?? "";
  for (const line of ["# first line", 'user = "ada"   # who', "since = 2024-05-01", "sizes = [1, # one"])
    expect(edited).toContain(line);
  expect(edited).not.toContain("gpu-box");
  expect(Object.keys(parse(edited))).toEqual(["user", "colour", "plugins"]);
});

describe("whatever the file looks like, only what was asked for is different", () => {
  const change: ConfigChange = {
    options: { user: "bob", autostart: false },
    targets: { new: { host: "h" }, lab: null },
  };
  test.each([
    "",
    "\n\n",
    "# only a comment",
    'user = "ada"',
    'user = "ada"\r\n[targets.lab]\r\nhost = "a"\r\n',
    'targets = { lab = { host = "a" }, other = { host = "b" } }\n',
    'targets.lab.host = "a"\ntargets.other.host = "b"\n',
    '[targets]\nlab = { host = "a" }\n',
    '[targets.other]\nhost = "b"\n[targets.lab]\nhost = "a"\n[targets.lab.more]\nx = 1\n',
    'text = """\n[targets.lab]\n"""\n[[list]]\na = 1\n[[list]]\na = 2\n',
  ])("%j", async (text) => {
    const { user: _user, autostart: _autostart, targets: _targets, ...others } = parse(text);
    const edited = parse((await editConfigText(text, change)) ?? "broken");
    const targets = Object.keys((parse(text)["targets"] as object | undefined) ?? {}).filter((name) => name !== "lab");
    expect(edited).toMatchObject({ ...others, user: "bob", autostart: false });
    expect(Object.keys(edited["targets"] as object).toSorted()).toEqual([...targets, "new"].toSorted());
  });
});
