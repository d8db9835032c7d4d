import { expect, onTestFinished, test } from "bun:test";
import { spawn } from "node:child_process";
import { createServer } from "node:net";
import { asUid, canBeOthers } from "../../../tests/support/as-user.ts";
import { pickPort } from "../../../tests/support/pick-port.ts";
import { waitUntil } from "../../../tests/support/wait.ts";
import { acceptsConnections } from "../../tools/sockets/accepts-connections.ts";
import type { Target } from "../targets/target.ts";
import { isSameMachine } from "./same-machine.ts";

const NOBODY = 65_534;

const TARGET: Target = {
  ...{
    name: "t",
    address: "",
    baseUrl: "http://127.0.0.1:1",
    socket: null,
    triesPort: false,
    listener: "own",
    ssh: null,
  },
  ...{ token: null, tls: null, fingerprint: null, isInstalled: false, autostart: false, notes: [], config: {} },
};
const SSH = { user: null, host: "box", port: null, serverAt: "54323" };

const listen = async (): Promise<string> => {
  const server = createServer().listen(0, "127.0.0.1");
  onTestFinished(() => void server.close());
  await waitUntil(() => server.listening, "the port is open");
  const address = server.address();
  return `127.0.0.1:${typeof address === "object" ? address?.port : ""}`;
};

test.each<readonly [string, Partial<Target>, boolean]>([
  ["a socket", { socket: "/nowhere/nexus.sock" }, true],
  ["a socket that anybody may have made", { socket: "/nowhere/nexus.sock", listener: "any" }, false],
  ["a tunnel of ssh", { socket: "/nowhere/tunnel", ssh: SSH }, false],
  ["another machine", { baseUrl: "https://gpu-box.example:54323", listener: "machine" }, false],
  ["a port at which nobody listens", {}, false],
  [
    "a port at which one's own server is going to listen",
    { socket: "/nowhere", triesPort: true, autostart: true },
    true,
  ],
])("%s: the server sees the user's files or not", async (_what, fields, isSame) => {
  expect(await isSameMachine({ ...TARGET, ...fields })).toBe(isSame);
});

test("a port of this machine counts where the user listens at it, over TLS too", async () => {
  const place = await listen();
  for (const protocol of ["http", "https"])
    expect(await isSameMachine({ ...TARGET, baseUrl: `${protocol}://${place}`, listener: "machine" })).toBe(true);
});

test.skipIf(!canBeOthers)("a port of this machine at which someone else listens does not", async () => {
  const port = await pickPort();
  const script = `require("node:net").createServer().listen(${port}, "127.0.0.1")`;
  const [program = "", ...words] = asUid(NOBODY, [process.execPath, "-e", script]);
  const child = spawn(program, words, { cwd: "/", env: { HOME: "/" }, stdio: "ignore" });
  onTestFinished(() => void child.kill());
  await waitUntil(() => acceptsConnections({ host: "127.0.0.1", port }), "someone else listens");
  expect(await isSameMachine({ ...TARGET, baseUrl: `http://127.0.0.1:${port}`, listener: "any" })).toBe(false);
});
