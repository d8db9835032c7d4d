import { type ChildProcess, spawn } from "node:child_process";
import { chmodSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { asUid } from "./as-user.ts";
import { stopChild } from "./programs.ts";
import { waitUntil } from "./wait.ts";

/** A user that every machine has, and that is neither the tests' own nor root. */
export const DAEMON = 1;

/** `received` is all that it was sent until now; `accept` has one that is late take its connections. */
export type Thief = Readonly<{
  port: number;
  received: () => string;
  accept: () => Promise<void>;
  stop: () => Promise<void>;
}>;

/** `kind`: "late" leaves connections to the kernel until it is told to accept them, "defers" lets the kernel wait for the first byte. */
export type ThiefOptions = Readonly<{ kind?: "eager" | "late" | "defers"; uid?: number; host?: string; path?: string }>;

const SCRIPT = `
import { appendFileSync, existsSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
const [folder, kind, host, path] = process.argv.slice(2);
const take = (data) => appendFileSync(folder + "/received", data);
const body = JSON.stringify({ server_version: "1.0.0", node_name: "thief", gpu_count: 1, id: "abcdef", artifact_id: "a" });
const answer = "HTTP/1.1 200 OK\\r\\nContent-Type: application/json\\r\\nContent-Length: " + body.length + "\\r\\n\\r\\n" + body;
const tell = (port) => writeFileSync(folder + "/port", String(port));
const idle = new Int32Array(new SharedArrayBuffer(4));
const listen = () => {
  const server = createServer((socket) => socket.on("error", () => undefined).on("data", (data) => (take(data), socket.write(answer))));
  server.listen(path === "" ? { host, port: 0 } : { path }, () => {
    tell(path === "" ? server.address().port : 0);
    while (kind === "late" && !existsSync(folder + "/accept")) Atomics.wait(idle, 0, 0, 10);
    if (kind === "late") setTimeout(() => writeFileSync(folder + "/accepted", ""), 200);
  });
};
const serve = () => tell(Bun.serve({ hostname: host, port: 0, fetch: async (request) => (take(request.url), Response.json({})) }).port);
process.umask(0);
if (kind === "defers") serve();
else listen();
`;

const open = (folder: string, { kind = "eager", uid = DAEMON, host = "127.0.0.1", path = "" }: ThiefOptions) => {
  const script = join(folder, "thief.js");
  writeFileSync(script, SCRIPT);
  const argv = asUid(uid, [process.execPath, "--no-install", script, folder, kind, host, path]);
  return spawn(argv[0] ?? "", argv.slice(1), {
    cwd: "/",
    env: { HOME: folder },
    stdio: ["ignore", "ignore", "inherit"],
  });
};

/** Listens as another user, answers as a server would, and keeps what it is sent; the folder is for it alone. */
export const startThief = async (folder: string, options: ThiefOptions = {}): Promise<Thief> => {
  chmodSync(folder, 0o777);
  const child: ChildProcess = open(folder, options);
  const read = (name: string): string => {
    const file = join(folder, name);
    return existsSync(file) ? readFileSync(file, "utf8") : "";
  };
  await waitUntil(() => read("port") !== "", "the thief listens");
  const accept = async (): Promise<void> => {
    writeFileSync(join(folder, "accept"), "");
    await waitUntil(() => existsSync(join(folder, "accepted")), "the thief has accepted");
  };
  return {
    port: Number(read("port")),
    received: () => read("received"),
    accept,
    stop: () => stopChild(child, "SIGKILL"),
  };
};
