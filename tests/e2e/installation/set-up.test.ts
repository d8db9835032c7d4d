import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { ROOT } from "../../support/programs.ts";

const NPM_STAND_IN = `#!/bin/sh
cp ../node_modules/version ../seen-meanwhile 2>/dev/null
[ ! -e ../broken ] || { echo no network; exit 1; }
mkdir -p node_modules/bun/bin
printf '#!/bin/sh\\necho "ran $(cat "\${0%%/bun/*}/version")"\\n' > node_modules/bun/bin/bun.exe
chmod +x node_modules/bun/bin/bun.exe
cp package-lock.json node_modules/version
`;

let clone: string;

const put = (path: string, text: string, mode = 0o644): void => {
  mkdirSync(dirname(join(clone, path)), { recursive: true });
  writeFileSync(join(clone, path), text, { mode });
};

beforeEach(() => {
  clone = mkdtempSync(join(tmpdir(), "nexus-set-up-"));
  for (const path of ["nexus-server", "scripts/set-up.sh"]) cpSync(join(ROOT, path), join(clone, path));
  put("path/npm", NPM_STAND_IN, 0o755);
  put("package.json", "{}");
  put("package-lock.json", "first");
});

afterEach(() => rmSync(clone, { recursive: true, force: true }));

const start = (): Readonly<{ stdout: string; stderr: string; status: number | null }> =>
  spawnSync(join(clone, "nexus-server"), [], {
    encoding: "utf8",
    env: { ...process.env, PATH: `${join(clone, "path")}:${process.env["PATH"]}` },
  });

const pull = (): void => {
  put("package-lock.json", "second");
  const later = Date.now() / 1000 + 1;
  utimesSync(join(clone, "package-lock.json"), later, later);
};

describe("the set-up of a clone", () => {
  test("is done once", () => {
    expect(start()).toMatchObject({ stdout: "ran first\n", status: 0, stderr: expect.stringContaining("setting up") });
    expect(start()).toMatchObject({ stdout: "ran first\n", status: 0, stderr: "" });
  });

  test("is done anew beside the old packages, which stay until the new ones are there", () => {
    start();
    pull();
    expect(start().stdout).toBe("ran second\n");
    expect(readFileSync(join(clone, "seen-meanwhile"), "utf8")).toBe("first");
    expect(readdirSync(clone)).not.toContain(".nexus-setup.new");
  });

  test("that fails says so and leaves the old packages", () => {
    start();
    pull();
    put("broken", "");
    expect(start()).toMatchObject({ stdout: "", status: 1, stderr: expect.stringContaining("no network") });
    expect(readFileSync(join(clone, "node_modules", "version"), "utf8")).toBe("first");
    expect(readdirSync(clone)).not.toContain(".nexus-setup.new");
  });
});
