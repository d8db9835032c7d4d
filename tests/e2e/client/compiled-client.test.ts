import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { spawn, spawnSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { ROOT } from "../../support/programs.ts";

const FOLDERS = ["src/base", "src/cli", "src/command-line", "src/tools", "src/wire"];
const OLD_SECONDS = Date.now() / 1000 - 7200;
const NEWER_SECONDS = OLD_SECONDS + 3600;

const BUN_STAND_IN = `#!/bin/sh
for last; do :; done
case "$*" in
  *--client*)
    echo built >> builds
    [ ! -e broken ] || exit 1
    while [ -e askers ] && [ "$(ls .compiled | grep -c '^asked')" -lt "$(cat askers)" ]; do sleep 0.01; done
    rm -f askers
    [ ! -e touched-meanwhile ] || touch "$(cat touched-meanwhile)"
    printf '#!/bin/sh\\necho compiled "$@"\\n' > "$last"
    chmod +x "$last" ;;
  *) echo sources "$last" ;;
esac
`;

let clone: string;

const isFolder = (path: string): boolean => statSync(join(ROOT, path)).isDirectory();

const listSources = (): readonly string[] => [
  "package.json",
  "scripts/build.ts",
  "scripts/build-client.sh",
  ...FOLDERS,
  ...FOLDERS.flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true }).map((name) => `${folder}/${name}`),
  ).filter((path) => (path.endsWith(".ts") && !path.endsWith(".test.ts")) || isFolder(path)),
];

const date = (path: string, seconds: number): void => utimesSync(join(clone, path), seconds, seconds);

const put = (path: string, text: string, mode = 0o644): void => {
  mkdirSync(dirname(join(clone, path)), { recursive: true });
  writeFileSync(join(clone, path), text, { mode });
};

beforeEach(() => {
  clone = mkdtempSync(join(tmpdir(), "nexus-clone-"));
  for (const path of listSources()) {
    if (isFolder(path)) mkdirSync(join(clone, path), { recursive: true });
    else put(path, "");
  }
  for (const path of ["nx", "scripts/build-client.sh"]) cpSync(join(ROOT, path), join(clone, path));
  put("package-lock.json", "{}");
  put("node_modules/bun/bin/bun.exe", BUN_STAND_IN, 0o755);
  put("node_modules/.nexus-setup", "");
  for (const path of [...listSources(), "package-lock.json", "node_modules/.nexus-setup"]) date(path, OLD_SECONDS);
});

afterEach(() => rmSync(clone, { recursive: true, force: true }));

const nx = (): string => spawnSync(join(clone, "nx"), ["word"], { encoding: "utf8" }).stdout;

const countBuilds = (): number =>
  existsSync(join(clone, "builds")) ? readFileSync(join(clone, "builds"), "utf8").trimEnd().split("\n").length : 0;

describe("nx of a clone", () => {
  test("is compiled once and then runs as it is", () => {
    expect([nx(), nx(), countBuilds()]).toEqual(["compiled word\n", "compiled word\n", 1]);
    expect(readdirSync(join(clone, ".compiled")).toSorted()).toEqual(["lock", "nexus-server", "nx"]);
  });

  test("never runs what is older than one of its sources, whichever", () => {
    nx();
    date(".compiled/nx", NEWER_SECONDS - 1);
    put("scripts/build-client.sh", "exit 1");
    date("scripts/build-client.sh", OLD_SECONDS);
    expect(nx()).toBe("compiled word\n");
    for (const path of [...listSources(), "node_modules/.nexus-setup"]) {
      date(path, NEWER_SECONDS);
      expect([path, nx()]).toEqual([path, "sources word\n"]);
      date(path, OLD_SECONDS);
    }
    expect(nx()).toBe("compiled word\n");
  }, 20_000);

  test("is compiled anew after a source has changed", () => {
    nx();
    put("src/cli/main.ts", "changed");
    expect([nx(), countBuilds(), nx(), countBuilds()]).toEqual(["compiled word\n", 2, "compiled word\n", 2]);
  });

  test("is compiled anew when a source has changed while it was compiled", () => {
    put("touched-meanwhile", "src/cli/main.ts");
    nx();
    rmSync(join(clone, "touched-meanwhile"));
    expect([nx(), countBuilds(), nx(), countBuilds()]).toEqual(["compiled word\n", 2, "compiled word\n", 2]);
  });

  test("runs from its sources where it can't be compiled", () => {
    put("broken", "");
    expect(nx()).toBe("sources word\n");
    rmSync(join(clone, "broken"));
    rmSync(join(clone, ".compiled"), { recursive: true, force: true });
    put(".compiled", "a file in the folder's place");
    expect(nx()).toBe("sources word\n");
  });

  test("is compiled by few of many that are called at the same time", async () => {
    put("askers", "8");
    const outputs = await Promise.all(
      Array.from({ length: 8 }, async () => {
        const child = spawn(join(clone, "nx"), ["word"], { stdio: ["ignore", "pipe", "inherit"] });
        return new Response(child.stdout).text();
      }),
    );
    expect(outputs).toEqual(Array(8).fill("compiled word\n"));
    expect(countBuilds()).toBeLessThanOrEqual(3);
  });
});
