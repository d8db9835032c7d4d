import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { chmodSync, existsSync, mkdtempSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createHarness } from "../../../../tests/support/api.ts";
import { canBeOthers, runScriptAs } from "../../../../tests/support/as-user.ts";
import { pickPort } from "../../../../tests/support/pick-port.ts";
import { blockUntil, waitUntil } from "../../../../tests/support/wait.ts";
import type { EndQuestion } from "../../../tools/sockets/end-address.ts";
import { askProcNet } from "../../../tools/sockets/proc-net.ts";
import { openSockDiag } from "../../../tools/sockets/sock-diag.ts";
import type { LocalUser } from "../../core/access/access.ts";
import { type HttpServer, startHttpServer } from "../http/http-server.ts";
import { choosePlaces } from "../http/places.ts";
import { createFindHolder } from "./loopback-holders.ts";

const [ROOT, SERVICE, ANN, BOB, OVERFLOW] = [0, 33, 4001, 4002, 65_534];
const RULES = { serverUid: ANN, minUid: 1000, overflowUid: OVERFLOW };

type Seen = Readonly<{ claims: string; holder: string }>;

let folder: string;
let server: HttpServer;
let all: HttpServer;
const seen: Seen[] = [];

const describeHolder = (holder: LocalUser | null): string =>
  holder === null ? "nobody" : `${holder.user}${holder.isOwner ? ", an owner" : ""}`;

const listen = (host: string): HttpServer => {
  const { log } = createHarness().context;
  const findName = async (uid: number) => `user ${uid}`;
  const started = startHttpServer({
    places: choosePlaces(host),
    ports: [0],
    certificate: null,
    lookEveryMs: 1000,
    log,
    findHolder: createFindHolder({ serverUser: "ann", rules: RULES, findName, log }),
    answer: (request, { holder }) => {
      seen.push({ claims: request.headers.get("x-claims") ?? "", holder: describeHolder(holder) });
      return new Response(describeHolder(holder));
    },
  });
  if (!started.ok) throw new Error(started.error.message);
  return started.value;
};

const portOf = ({ urls }: HttpServer): number => Number(new URL(urls[0] ?? "").port);

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "nexus-holders-"));
  chmodSync(folder, 0o777);
  server = listen("127.0.0.1");
  all = listen("0.0.0.0");
});

afterEach(() => {
  seen.length = 0;
  for (const told of ["sent", "reset"]) rmSync(join(folder, told), { force: true });
});

afterAll(async () => {
  await server.stop();
  await all.stop();
  rmSync(folder, { recursive: true, force: true });
});

const PRELUDE = `
import { existsSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
const tell = (what) => writeFileSync(what, "");
const [host, port, count] = process.argv.slice(2);
const claims = process.getuid();
const REQUEST = "GET / HTTP/1.1\\r\\nHost: localhost\\r\\nX-Claims: " + claims + "\\r\\n";
const LAST = REQUEST + "Connection: close\\r\\n\\r\\n";
const open = (options = {}) => new Promise((resolve, reject) => {
  const socket = connect({ host, port: Number(port), allowHalfOpen: true, ...options }, () => resolve(socket));
  socket.on("error", reject);
});
const readAll = async (socket) => {
  let text = "";
  const { promise, resolve } = Promise.withResolvers();
  socket.on("data", (data) => (text += data)).on("end", () => socket.end()).on("close", resolve);
  await promise;
  return text.split("\\r\\n\\r\\n").at(-1);
};
const ask = async () => {
  const socket = await open();
  socket.write(LAST);
  return readAll(socket);
};
`;

const ASK = `${PRELUDE}process.stdout.write(await ask());`;

const HALF_CLOSE = `${PRELUDE}
const socket = await open();
socket.end(REQUEST + "\\r\\n", () => tell("sent"));
process.stdout.write(await readAll(socket));
`;

const RESET = `${PRELUDE}
const socket = await open({ localAddress: host, localPort: Number(count) });
socket.on("close", () => tell("reset"));
socket.write(REQUEST + "\\r\\n", () => socket.resetAndDestroy());
`;

const COME_AFTER = `${PRELUDE}
while (!existsSync("reset")) await Bun.sleep(1);
const socket = await open({ localAddress: host, localPort: Number(count) });
tell("sent");
socket.write(LAST);
process.stdout.write(await readAll(socket));
`;

const BECOME_BOB = `${PRELUDE}
const socket = await open();
process.setgid(${BOB});
process.setuid(${BOB});
socket.write(LAST);
process.stdout.write(await readAll(socket));
`;

const CLOSE_AT_ONCE = `${PRELUDE}
for (let round = 0; round < Number(count); round++) {
  const socket = await open();
  socket.write(REQUEST + "\\r\\n");
  if (round % 2 === 0) socket.resetAndDestroy();
  else socket.destroy();
}
`;

const MANY = `${PRELUDE}
const answers = {};
const client = async () => {
  for (let round = 0; round < Number(count); round++) {
    const answer = await ask();
    answers[answer] = (answers[answer] ?? 0) + 1;
  }
};
await Promise.all(Array.from({ length: 16 }, client));
process.stdout.write(JSON.stringify(answers));
`;

const run = (uid: number, script: string, host = "127.0.0.1", count = 0, to = server): Promise<string> =>
  runScriptAs(uid, folder, script, host, portOf(to), count);

const beBusyUntil = (told: string): void => blockUntil(() => existsSync(join(folder, told)));

const HOSTS = ["127.0.0.1", "::1", "::ffff:127.0.0.1"];

describe.skipIf(!canBeOthers)("who made the other end of a connection", () => {
  test.each(HOSTS)("is known by the kernel's word, over %s", async (host) => {
    const uids = [ROOT, ANN, BOB, SERVICE, OVERFLOW];
    const answers = await Promise.all(uids.map((uid) => run(uid, ASK, host)));
    expect(answers).toEqual(["root, an owner", "ann, an owner", `user ${BOB}`, "nobody", "nobody"]);
  });

  test.each(HOSTS)("is known as well where the server listens on all addresses, over %s", async (host) => {
    const answers = await Promise.all([ANN, BOB].map((uid) => run(uid, ASK, host, 0, all)));
    expect(answers).toEqual(["ann, an owner", `user ${BOB}`]);
  });

  test("is not known where it can't be told to which address the connection was made", async () => {
    expect(await run(ROOT, ASK, "127.0.0.2", 0, all)).toBe("nobody");
  });

  test("is who made it, not who holds it", async () => {
    expect(await run(ROOT, BECOME_BOB)).toBe("root, an owner");
  });

  test("is nobody once it has closed its half", async () => {
    const answer = run(ROOT, HALF_CLOSE);
    beBusyUntil("sent");
    expect(await answer).toBe("nobody");
  });

  test("is never another for who sends and closes at once", async () => {
    await Promise.all([BOB, BOB].map((uid) => run(uid, CLOSE_AT_ONCE, "127.0.0.1", 200)));
    expect(seen.filter(({ holder }) => holder !== "nobody" && holder !== `user ${BOB}`)).toEqual([]);
  });

  test("is not root for a request that was reset before root connected from the same port", async () => {
    const port = await pickPort();
    const answers = [run(BOB, RESET, "127.0.0.1", port), run(ROOT, COME_AFTER, "127.0.0.1", port)];
    beBusyUntil("sent");
    expect(await Promise.all(answers)).toEqual(["", "root, an owner"]);
    expect(seen).toEqual(expect.arrayContaining([{ claims: "0", holder: "root, an owner" }]));
    expect(seen.filter(({ claims, holder }) => claims === String(BOB) && holder !== "nobody")).toEqual([]);
  });

  test("is right under 64 clients that open and close connections at once", async () => {
    const uids = [ROOT, ANN, BOB, SERVICE];
    const answers = await Promise.all(uids.map((uid) => run(uid, MANY, "127.0.0.1", 40)));
    expect(answers.map((text) => JSON.parse(text) as unknown)).toEqual([
      { "root, an owner": 640 },
      { "ann, an owner": 640 },
      { [`user ${BOB}`]: 640 },
      { nobody: 640 },
    ]);
  });
});

test.each(HOSTS)("/proc shows what netlink shows of a connection, over %s", async (host) => {
  const port = portOf(server);
  const { promise, resolve } = Promise.withResolvers<void>();
  const socket = connect({ host, port }, () => resolve());
  await promise;
  const bare = host.replace("::ffff:", "");
  const far = { address: bare, port: socket.localPort ?? 0 };
  const questions: readonly EndQuestion[] = [
    { own: far, other: { address: bare, port } },
    { own: { address: bare, port }, other: far },
    { own: { address: bare, port: 1 }, other: far },
  ];
  const netlink = openSockDiag();
  if (!netlink.ok) throw new Error(netlink.error.message);
  const { value: ask } = netlink;
  await waitUntil(() => questions.slice(0, 2).every((one) => ask(one)?.state === 1), "the server has accepted it");
  const shown = questions.map(ask);
  expect(questions.map(askProcNet)).toEqual(shown);
  expect(shown).toEqual([
    { state: 1, uid: process.getuid?.() ?? 0, inode: expect.any(Number) },
    { state: 1, uid: process.getuid?.() ?? 0, inode: expect.any(Number) },
    null,
  ]);
  socket.destroy();
});
