import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pickPort } from "../../../tests/support/pick-port.ts";
import { waitUntil } from "../../../tests/support/wait.ts";
import { acceptsConnections } from "../../tools/sockets/accepts-connections.ts";
import { startLocalServer } from "./local-server.ts";

const SETTINGS = ["NS_SERVER_DIR", "NS_PORT"] as const;

let folder: string;
let before: Readonly<Record<string, string | undefined>>;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "nexus-started-"));
  before = Object.fromEntries(SETTINGS.map((name) => [name, process.env[name]]));
  Object.assign(process.env, { NS_SERVER_DIR: join(folder, "server"), NS_PORT: "0" });
});

afterEach(async () => {
  for (const name of SETTINGS) {
    if (before[name] === undefined) delete process.env[name];
    else process.env[name] = before[name];
  }
  const pid = Number(readFileSync(join(folder, "server", "server.pid"), "utf8"));
  process.kill(pid, "SIGTERM");
  await waitUntil(async () => !(await acceptsConnections(join(folder, "server", "nexus.sock"))), "it has stopped");
  rmSync(folder, { recursive: true, force: true });
});

test("a started server counts as up once it listens where it will be asked, though it does elsewhere", async () => {
  const port = await pickPort();
  let isUp = false;
  const started = startLocalServer({ host: "127.0.0.1", port }, async () => false).then((result) => {
    isUp = true;
    return result;
  });
  await waitUntil(() => acceptsConnections(join(folder, "server", "nexus.sock")), "it listens at its socket");
  expect(isUp).toBe(false);
  const late = Bun.listen({ hostname: "127.0.0.1", port, socket: { data: () => undefined } });
  expect((await started).ok).toBe(true);
  late.stop(true);
});
