import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { findEditable, findUnsentModules, followBelow } from "./editable-installs.ts";

let folder: string;
let top: string;
let environment: string;

const write = (path: string, text: string): void => {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
};

beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), "nexus-editable-")));
  top = join(folder, "re'po");
  environment = join(folder, "venv");
  for (const path of ["src/pk/__init__.py", "pk/__init__.py", "lib/ns/deep/__init__.py"]) write(join(top, path), "");
  write(join(top, ".gitignore"), "*.so\nbuild/\n.venv/\n");
  write(join(environment, "pyvenv.cfg"), "include-system-site-packages = false\n");
  spawnSync("git", ["init", "--quiet", top]);
});

afterEach(() => rmSync(folder, { recursive: true }));

const install = (name: string, text: string, at = environment): void =>
  write(join(at, "lib", "python3.12", "site-packages", name), text);

const find = () => findEditable(environment, top).map((path) => path.slice(top.length));

const finder = (mapping: string, namespaces = "{}", isTyped = true) =>
  `import sys\nMAPPING${isTyped ? ": dict[str, str]" : ""} = ${mapping}\nNAMESPACES${isTyped ? ": dict[str, list[str]]" : ""} = ${namespaces}\n`;

const project = (url: string, editable = true) => JSON.stringify({ dir_info: { editable }, url });

describe("code that is installed as editable", () => {
  test("is none where nothing says so", () => {
    expect(find()).toEqual([]);
    install("distutils-precedence.pth", "import os; os.environ\n");
    install("other.pth", `# ${top}/src\n${folder}\n/usr/lib\n\n${top}x\n`);
    install("p-1.dist-info/direct_url.json", project(`file://${encodeURI(top)}`, false));
    install("q-1.dist-info/direct_url.json", "no JSON");
    expect(find()).toEqual([]);
  });

  test.each([
    ["__editable__.p-1.pth", () => `${top}/src\n`, ["/src"]],
    ["_p.pth", () => `${top}\r\n`, [""]],
    ["easy-install.pth", () => `/elsewhere\n${top}/lib\n${top}/src`, ["/lib", "/src"]],
    ["p.egg-link", () => `${top}/src\n../`, ["/src"]],
    ["p.pth", () => "../../../../re'po/src\n", ["/src"]],
  ])("is found in %s", (name, text, folders) => {
    install(name, text());
    expect(find()).toEqual([...folders]);
  });

  test.each([
    ["a package", () => finder(`{'pk': "${top}/src/pk"}`), ["/src"]],
    ["an older one's", () => finder(`{'pk': "${top}/src/pk"}`, "{}", false), ["/src"]],
    ["a module", () => finder(`{'mod': '/elsewhere/mod', 'pk': "${top}/pk"}`), [""]],
    ["one below a namespace", () => finder(`{'ns.deep': "${top}/lib/ns/deep"}`), ["/lib"]],
    ["a namespace", () => finder("{}", `{'ns': ["${top}/lib/ns", '/x/ns']}`), ["/lib"]],
    ["one that is called otherwise", () => finder(`{'other': "${top}/src/pk"}`), []],
  ])("is found in a finder of setuptools: %s", (_what, text, folders) => {
    install("__editable__.p-1.pth", "import __editable___p_1_finder; __editable___p_1_finder.install()");
    install("__editable___p_1_finder.py", text());
    expect(find()).toEqual([...folders]);
  });

  test("is found by its project where that alone is known, and not twice", () => {
    install("p-1.dist-info/direct_url.json", project(`file://${encodeURI(top)}`));
    expect(find()).toEqual(["/src", ""]);
    install("_p.pth", `${top}/src\n`);
    expect(find()).toEqual(["/src"]);
  });

  test("is found by whatever link its folder was given", () => {
    symlinkSync(top, join(folder, "link"));
    install("_p.pth", `${folder}/link/src\n`);
    expect(find()).toEqual(["/src"]);
    expect(followBelow(top, join(folder, "link", "src", "pk"))).toBe(join(top, "src", "pk"));
    expect(followBelow(top, join(folder, "link", "none"))).toBe(join(folder, "link", "none"));
    expect(followBelow(top, "/usr/lib")).toBe("/usr/lib");
  });

  test("is not what git ignores, nor what lies in the environment", () => {
    environment = join(top, ".venv");
    write(join(environment, "pyvenv.cfg"), "include-system-site-packages = false\n");
    write(join(top, "build", "links", "x.py"), "");
    install("_p.pth", `${top}/build/links\nnvidia\n`);
    install("nvidia/x.py", "");
    expect(find()).toEqual([]);
  });

  test("is in an environment that sees the user's own packages found there, too", () => {
    const own = process.env["HOME"];
    process.env["HOME"] = join(folder, "home");
    try {
      install("_p.pth", `${top}/src\n`, join(folder, "home", ".local"));
      mkdirSync(join(environment, "lib", "python3.12"), { recursive: true });
      expect(find()).toEqual([]);
      rmSync(join(environment, "pyvenv.cfg"));
      expect(find()).toEqual(["/src"]);
    } finally {
      process.env["HOME"] = own;
    }
  });

  test("has modules that do not travel named, but for those in folders that are ignored whole", () => {
    for (const path of ["src/pk/_fast.cpython-312.so", "build/x.so", ".venv/y.so"]) write(join(top, path), "");
    expect(findUnsentModules(top, [join(top, "src"), top])).toEqual(["src/pk/_fast.cpython-312.so"]);
    expect(findUnsentModules(top, [])).toEqual([]);
  });
});
