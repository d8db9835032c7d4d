import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { networkInterfaces } from "node:os";
import { checkAbility } from "../../support/ability.ts";
import { type CertificateFiles, makeCertificate } from "../../support/certificate.ts";
import { ECHOING_JOB } from "../../support/echoing-job.ts";
import { type Finished, NX, runProgram } from "../../support/programs.ts";
import { startTlsServer, type TlsServer } from "../../support/tls-server.ts";
import { openTmux, type TmuxTerminal } from "../../support/tmux-terminal.ts";
import { createWorld, type World } from "../../support/world.ts";

const TOKEN = "correct-horse";

const findAddress = (): string | null =>
  Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .find(({ internal, family }) => !internal && family === "IPv4")?.address ?? null;

const address = findAddress();
const canCallFromElsewhere = checkAbility(address !== null, "an address that is not loopback");

let world: World;
let certificate: CertificateFiles;
let server: TlsServer;
let url: string;

beforeAll(async () => {
  if (address === null) return;
  world = await createWorld();
  certificate = makeCertificate(world.folder, "gpu-box");
  const settings = { NS_HOST: "0.0.0.0", NS_EXTERNAL_IP: address, NS_API_TOKEN: TOKEN };
  server = await startTlsServer(world, certificate, settings);
  url = `https://${address}:${new URL(server.url).port}`;
});

afterAll(async () => {
  if (!canCallFromElsewhere) return;
  await server.stop();
  await world.dispose();
});

const nx = (words: readonly string[], more: NodeJS.ProcessEnv = {}): Promise<Finished> =>
  runProgram([NX, ...words], { env: { ...world.env, NEXUS_AUTOSTART: "false", ...more }, cwd: world.home });

const addLab = (token: string): Promise<Finished> =>
  nx(["target", "add", "lab", url, "--fingerprint", certificate.fingerprint], { NEXUS_API_TOKEN: token });

const openWindow = async (line: string): Promise<TmuxTerminal> => {
  const env = { ...world.env, NEXUS_AUTOSTART: "false", TERM: "xterm-256color" };
  const terminal = await openTmux({ env, cwd: world.home });
  terminal.type(`${NX} ${line}; echo code $?`);
  terminal.press("Enter");
  return terminal;
};

describe.skipIf(!canCallFromElsewhere)("a server that is called from elsewhere, over TLS and with its token", () => {
  test("lets nobody in without the token, and runs, shows and follows jobs for who has it", async () => {
    expect([(await addLab("wrong")).exitCode, (await addLab(TOKEN)).exitCode]).toEqual([4, 0]);
    const run = await nx(["run", "-t", "lab", "-c", "--no-git", "echo from afar; exit 3"]);
    expect([run.exitCode, run.stdout]).toEqual([3, expect.stringContaining("\nfrom afar\n")]);
    const added = await nx([
      "add",
      "-q",
      "-t",
      "lab",
      "-c",
      "--no-git",
      "for n in 1 2 3; do sleep 0.2; echo line $n; done",
    ]);
    const followed = await nx(["logs", "-F", "-t", "lab", added.stdout.trim()]);
    expect([followed.exitCode, followed.stdout]).toEqual([0, expect.stringContaining("line 1\nline 2\nline 3\n")]);
  });

  test("shows terminals in which one can type, by nx attach and by nx run", async () => {
    const added = await nx(["add", "-q", "-t", "lab", "-c", "--no-git", ECHOING_JOB]);
    const id = added.stdout.trim();
    const attached = await openWindow(`attach -t lab ${id}`);
    const running = await openWindow("run -t lab -c --no-git 'read word; echo last $word; exit 5'");
    try {
      await attached.waitFor("now 24 80");
      attached.type("words");
      attached.press("Enter");
      await attached.waitFor("got words");
      attached.press("C-a", "d");
      await attached.waitFor("code 0");
      expect((await nx(["get", "-t", "lab", "--json", id])).stdout).toContain('"running"');
      await running.waitFor("read word");
      running.type("remote");
      running.press("Enter");
      await running.waitFor("code 5");
      expect(running.screen()).toContain("last remote");
    } finally {
      attached.close();
      running.close();
    }
    expect((await nx(["kill", "-y", "-t", "lab", id])).exitCode).toBe(0);
  });
});
