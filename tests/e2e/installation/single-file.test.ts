import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { appendFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { reachAgent, startAgent } from "../../support/agent.ts";
import { pickPort } from "../../support/pick-port.ts";
import { ROOT, stopChild } from "../../support/programs.ts";
import { waitUntil } from "../../support/wait.ts";
import { createWorld } from "../../support/world.ts";

const folder = mkdtempSync(join(tmpdir(), "nexus-build-"));
const dist = join(folder, "dist");

const build = (output: string): string => {
  execFileSync(process.execPath, ["scripts/build.ts", "--host", "--output", output], { cwd: ROOT, stdio: "pipe" });
  return readFileSync(join(output, "SHA256SUMS"), "utf8");
};

const BARE_ROOT = `
set -e
root=$1
for name in usr bin sbin lib lib64 etc; do
  if [ -L "/$name" ]; then cp -P "/$name" "$root/$name"
  elif [ -d "/$name" ]; then mkdir "$root/$name"; mount --rbind "/$name" "$root/$name"; fi
done
for name in proc dev; do mkdir -p "$root/$name"; mount --rbind "/$name" "$root/$name"; done
mkdir -p "$root/tmp" "$root/run" "$root/root"
mount -t tmpfs none "$root/usr/local"
for name in node npm npx bun bunx nodejs; do
  path=$(command -v $name || true)
  case $path in /usr/bin/*|/bin/*) mount --bind /dev/null "$root$path" ;; esac
done
exec chroot "$root" /bin/sh -c "$2"
`;

const MAIN_JOB = `
set -u
export HOME=/root PATH=/opt:/usr/bin:/bin NS_PORT=0 NS_SERVER_DIR=/srv/nexus GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=safe.directory GIT_CONFIG_VALUE_0='*'
export NS_PORT=$PORT
for name in node bun npm; do [ ! -x "$(command -v $name)" ] || exit 90; done
mkdir /repo && cd /repo && git init -q && echo 'echo made on GPU $CUDA_VISIBLE_DEVICES; exit 7' > job.sh
nx run bash job.sh
code=$?
kill $(cat /srv/nexus/server.pid)
while [ -e /proc/$(cat /srv/nexus/server.pid 2>/dev/null || echo none) ]; do sleep 0.05; done
exit $code
`;

const runInBareRoot = async (script: string): Promise<Readonly<{ status: number | null; output: string }>> => {
  const root = join(folder, "root");
  mkdirSync(join(root, "opt"), { recursive: true });
  execFileSync("cp", [join(dist, "nx"), join(dist, "nexus-server"), join(root, "opt")]);
  const asRoot = process.getuid?.() === 0 ? [] : ["--map-root-user"];
  const env = { ...process.env, PORT: String(await pickPort()) };
  const ran = spawnSync("unshare", [...asRoot, "--mount", "sh", "-c", BARE_ROOT, "sh", root, script], {
    env,
    encoding: "utf8",
    timeout: 25_000,
  });
  return { status: ran.status, output: ran.stdout + ran.stderr };
};

const install = (source: string, prefix: string): ReturnType<typeof spawnSync> =>
  spawnSync("sh", [join(source, "install.sh")], {
    env: { PATH: process.env["PATH"], HOME: folder, PREFIX: prefix },
    encoding: "utf8",
  });

let sums = "";
beforeAll(() => {
  sums = build(dist);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("the single-file programs", () => {
  test("are the same bytes at each build", () => {
    const again = join(folder, "again");
    expect(build(again)).toBe(sums);
    rmSync(again, { recursive: true });
  });

  test("do the main job on a machine that has neither Node nor Bun", async () => {
    const { status, output } = await runInBareRoot(MAIN_JOB);
    expect(output).toContain("starting one with mock GPUs");
    expect(output).toContain("made on GPU 0");
    expect(status).toBe(7);
  });

  test("serve agents, by nx mcp and at /mcp", async () => {
    const world = await createWorld();
    const server = spawn(join(dist, "nexus-server"), { env: world.env, stdio: "ignore" });
    try {
      await waitUntil(
        () =>
          fetch(`${world.url}/v1/health`)
            .then(({ ok }) => ok)
            .catch(() => false),
        "it answers",
      );
      for (const reach of [
        () => startAgent(world, world.home, { command: join(dist, "nx") }),
        () => reachAgent(world.url, ""),
      ]) {
        const agent = await reach();
        expect((await agent.call("status")).facts).toMatchObject({ queued: 0 });
        await agent.close();
      }
    } finally {
      await stopChild(server, "SIGTERM");
      await world.dispose();
    }
  });

  test("come with a list of what they are made of", () => {
    const bill = JSON.parse(readFileSync(join(dist, "sbom.cdx.json"), "utf8"));
    expect(bill.components.map(({ name }: { name: string }) => name)).toContain("hono");
  });
});

describe("install.sh", () => {
  test("installs what matches its checksum, under both names of the client", () => {
    const prefix = join(folder, "prefix");
    expect(install(dist, prefix).status).toBe(0);
    const run = (name: string) => execFileSync(join(prefix, "bin", name), ["version"], { encoding: "utf8" });
    expect([run("nx"), run("nexus")]).toEqual(["nx 1.0.0-dev\n", "nx 1.0.0-dev\n"]);
    expect(run("nexus-server")).toBe("1.0.0-dev\n");
  });

  test("installs nothing that doesn't match, and leaves what was there", () => {
    const prefix = join(folder, "kept");
    mkdirSync(join(prefix, "bin"), { recursive: true });
    writeFileSync(join(prefix, "bin", "nx"), "old");
    const tampered = join(folder, "tampered");
    execFileSync("cp", ["-r", dist, tampered]);
    appendFileSync(join(tampered, `${process.platform}-${process.arch}`, "nx"), "x");
    const { status, stderr } = install(tampered, prefix);
    expect(status).toBe(1);
    expect(`${stderr}`).toContain("does not match its checksum: nothing was installed");
    expect(readFileSync(join(prefix, "bin", "nx"), "utf8")).toBe("old");
  });
});
