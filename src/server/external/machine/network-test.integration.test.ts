import { afterEach, beforeEach, expect, test } from "bun:test";
import { createServer, type Server } from "node:net";
import { USER_AGENT } from "../../../base/version.ts";
import { createNetworkTest } from "./network-test.ts";

const NONE = { speedTestUrl: null, pingHost: null };
const NO_ANSWER_MS = 2000;

let calls: string[];
let agents: (string | null)[];
let web: ReturnType<typeof startWeb>;

const startWeb = () =>
  Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch: (request) => {
      const { pathname } = new URL(request.url);
      calls.push(`${request.method} ${pathname}`);
      agents.push(request.headers.get("user-agent"));
      if (pathname === "/moved") return new Response("", { status: 302, headers: { location: "/file" } });
      return pathname === "/file" ? new Response(new Uint8Array(1_000_000)) : new Response("", { status: 404 });
    },
  });

const listen = async (): Promise<Readonly<{ server: Server; port: number }>> => {
  const server = createServer((socket) => socket.destroy());
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  return { server, port: typeof address === "object" ? (address?.port ?? 0) : 0 };
};

beforeEach(() => {
  calls = [];
  agents = [];
  web = startWeb();
});

afterEach(() => web.stop(true));

test("without an address nothing is called and nothing known", async () => {
  expect(await createNetworkTest(NONE)()).toBeNull();
});

test("a speed test downloads from the address that was named, and its host is the one that is pinged", async () => {
  const network = await createNetworkTest({ ...NONE, speedTestUrl: `${web.url.origin}/file` })();
  expect(network?.download_speed).toBeGreaterThan(0);
  expect(network?.ping).toBeLessThan(NO_ANSWER_MS);
  expect(network?.upload_speed).toBeNull();
  expect(calls).toEqual(["GET /file"]);
  expect(agents).toEqual([USER_AGENT]);
});

test("a redirect is not followed; it, an error and a server that is away are no speed", async () => {
  for (const path of ["/moved", "/missing"]) {
    expect(await createNetworkTest({ ...NONE, speedTestUrl: web.url.origin + path })()).toMatchObject({
      download_speed: 0,
    });
  }
  expect(calls).toEqual(["GET /moved", "GET /missing"]);
  const { origin } = web.url;
  await web.stop(true);
  expect(await createNetworkTest({ ...NONE, speedTestUrl: `${origin}/file` })()).toMatchObject({ download_speed: 0 });
});

test("a host that answers has a ping, also when it refuses; one that is not known counts as no answer", async () => {
  const { server, port } = await listen();
  const pingHost = `127.0.0.1:${port}`;
  const first = await createNetworkTest({ ...NONE, pingHost })();
  expect(first?.ping).toBeLessThan(NO_ANSWER_MS);
  expect(first).toMatchObject({ download_speed: null, upload_speed: null });
  await new Promise((resolve) => server.close(resolve));
  expect((await createNetworkTest({ ...NONE, pingHost })())?.ping).toBeLessThan(NO_ANSWER_MS);
  expect((await createNetworkTest({ ...NONE, pingHost: "no-such-host.invalid" })())?.ping).toBe(NO_ANSWER_MS);
});
