import { afterEach, expect, test } from "bun:test";
import { createHarness } from "../../../../tests/support/api.ts";
import { pickPort } from "../../../../tests/support/pick-port.ts";
import type { Problem, Result } from "../../../base/result.ts";
import { type HttpServer, startHttpServer } from "./http-server.ts";
import { choosePlaces } from "./places.ts";

const opened: HttpServer[] = [];

afterEach(async () => {
  for (const server of opened.splice(0)) await server.stop();
});

const start = (host: string, ports: readonly number[]): Result<HttpServer, Problem> => {
  const { log } = createHarness().context;
  const started = startHttpServer({
    places: choosePlaces(host),
    ports,
    certificate: null,
    lookEveryMs: 1000,
    log,
    findHolder: async () => ({ user: "ann", isOwner: false }),
    answer: (_request, { holder }) => new Response(holder?.user ?? "nobody"),
  });
  if (started.ok) opened.push(started.value);
  return started;
};

const listPorts = (started: Result<HttpServer, Problem>): readonly number[] =>
  started.ok ? [...new Set(started.value.urls.map((url) => Number(new URL(url).port)))] : [];

test.each(["127.0.0.1", "0.0.0.0", "::"])(
  "a server at %s has one port at all of its addresses, and answers there",
  async (host) => {
    const started = start(host, [0]);
    expect(listPorts(started)).toHaveLength(1);
    for (const url of started.ok ? started.value.urls : []) expect(await (await fetch(url)).text()).toBe("ann");
  },
);

test.each([
  ["127.0.0.1", "127.0.0.1"],
  ["0.0.0.0", "0.0.0.0"],
  ["127.0.0.1", "0.0.0.0"],
  ["0.0.0.0", "127.0.0.1"],
  ["::", "0.0.0.0"],
])("a port that a server at %s has is taken for one at %s, though it is the same user's", async (first, second) => {
  const port = await pickPort();
  expect(listPorts(start(first, [port]))).toEqual([port]);
  expect(start(second, [port])).toMatchObject({
    ok: false,
    error: { message: expect.stringContaining(`:${port} can't be listened on`) },
  });
  expect(listPorts(start(second, [port, 0]))).not.toContain(port);
});

const HAMMER = `
import { connect } from "node:net";
const ask = (port) => new Promise((resolve) => {
  const socket = connect({ host: "127.0.0.1", port }, () => {
    let text = "";
    socket.on("data", (data) => (text += data)).on("end", () => resolve(text.split("\\r\\n\\r\\n").at(-1)));
    socket.write("GET / HTTP/1.1\\r\\nHost: localhost\\r\\nConnection: close\\r\\n\\r\\n");
  });
  socket.on("error", () => setImmediate(() => resolve(ask(port))));
});
console.log("ready");
for (const port of process.argv.slice(1)) console.log(await ask(Number(port)));
`;

test("who connects while a server on all addresses starts comes in where the server knows them", async () => {
  const ports: number[] = [];
  while (ports.length < 10) ports.push(await pickPort());
  const hammer = Bun.spawn([process.execPath, "-e", HAMMER, ...ports.map(String)], { stdout: "pipe" });
  let told = "";
  for await (const chunk of hammer.stdout) {
    told += new TextDecoder().decode(chunk);
    const port = ports[told.trim().split("\n").length - 1];
    if (port !== undefined) expect(start("0.0.0.0", [port]).ok).toBe(true);
  }
  expect(told.trim().split("\n")).toEqual(["ready", ...ports.map(() => "ann")]);
});

test("what was listened on is free again where another of the addresses was taken", async () => {
  const port = await pickPort();
  const stranger = Bun.listen({ hostname: "::1", port, socket: { data: () => undefined } });
  expect(start("127.0.0.1", [port]).ok).toBe(false);
  stranger.stop(true);
  expect(listPorts(start("127.0.0.1", [port]))).toEqual([port]);
});
