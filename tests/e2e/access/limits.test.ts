import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readdirSync, readlinkSync } from "node:fs";
import { connect, type Socket } from "node:net";
import type { WireJob } from "../../../src/wire/job.ts";
import { waitUntil } from "../../support/wait.ts";
import { createWorld, type World } from "../../support/world.ts";

type Line = Readonly<{ socket: Socket; text: () => string; isClosed: () => boolean; openedAt: number }>;

let world: World;
let job: WireJob;
let pid: number;
const lines: Socket[] = [];

const SETTINGS = {
  NS_MAX_REQUESTS: "6",
  NS_MAX_FOLLOWERS: "5",
  NS_MAX_FOLLOWERS_PER_ADDRESS: "3",
  NS_MAX_UPLOADS: "4",
  NS_BODY_TIMEOUT: "0.5",
  NS_HOST: "0.0.0.0",
  NS_INSECURE_HTTP: "true",
};

beforeAll(async () => {
  world = await createWorld();
  pid = (await world.startServer(SETTINGS)).pid ?? 0;
  job = await world.submit({ command: "seq 200000; read _", num_gpus: 0 });
  await world.waitFor(job.id, ["running"]);
});

afterAll(() => {
  for (const line of lines) line.destroy();
  return world.dispose();
});

const open = async (text: string, localAddress = "127.0.0.1"): Promise<Line> => {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const socket = connect({ port: Number(new URL(world.url).port), host: "127.0.0.1", localAddress }, resolve);
  lines.push(socket);
  let received = "";
  let closed = false;
  socket.once("error", reject);
  socket.on("data", (data) => {
    received += data.toString("latin1");
  });
  socket.on("close", () => {
    closed = true;
  });
  await promise;
  const openedAt = performance.now();
  socket.on("error", () => undefined);
  socket.write(text);
  return { socket, text: () => received, isClosed: () => closed, openedAt };
};

const render = (method: string, path: string, headers = ""): string =>
  `${method} ${path} HTTP/1.1\r\nHost: localhost\r\n${headers}\r\n`;

const readStatus = async (line: Line): Promise<number> => {
  await waitUntil(() => line.text().includes("\r\n\r\n"), "an answer");
  return Number(line.text().slice(9, 12));
};

const follow = (address?: string): Promise<Line> => open(render("GET", `/v1/jobs/${job.id}/logs/stream`), address);

const readLink = (path: string): string => {
  try {
    return readlinkSync(path);
  } catch {
    return "";
  }
};

const countDescriptors = (): number =>
  readdirSync(`/proc/${pid}/fd`).filter((name) => /^socket:|output\.log$/.test(readLink(`/proc/${pid}/fd/${name}`)))
    .length;

describe("what clients may take of the server is limited:", () => {
  test("followers of one address and in all, which answers at once and gives the seats back", async () => {
    const before = countDescriptors();
    const first = await Promise.all([follow(), follow(), follow()]);
    expect(await Promise.all(first.map(readStatus))).toEqual([200, 200, 200]);
    const fourth = await follow();
    expect(await readStatus(fourth)).toBe(429);
    expect(fourth.text()).toMatch(/^retry-after: \d/im);
    const others = await Promise.all([follow("127.0.0.2"), follow("127.0.0.2"), follow("127.0.0.2")]);
    const statuses = await Promise.all(others.map(readStatus));
    expect(statuses.toSorted()).toEqual([200, 200, 503]);
    for (const { socket } of [...first, fourth, ...others]) socket.destroy();
    await waitUntil(() => countDescriptors() <= before, "the descriptors are back");
    expect(await readStatus(await follow())).toBe(200);
  });

  test("uploads, of which one has a half at most, and whose bodies must come", async () => {
    const slow = await Promise.all([1, 2].map(() => open(render("POST", "/v1/artifacts", "Content-Length: 9\r\n"))));
    for (const { socket } of slow) socket.write("a");
    const answers: Line[] = [];
    await waitUntil(async () => {
      const third = await open(`${render("POST", "/v1/artifacts", "Content-Length: 1\r\n")}a`);
      answers.unshift(third);
      return (await readStatus(third)) === 429;
    }, "both have a seat, and a third finds none");
    expect(answers[0]?.text()).toMatch(/^retry-after: \d/im);
    expect(await Promise.all(slow.map(readStatus))).toEqual([408, 408]);
    expect(performance.now() - (slow[0]?.openedAt ?? 0)).toBeWithin(400, 3000);
    await waitUntil(() => slow.every((line) => line.isClosed()), "the slow ones are cut");
    expect(await readStatus(await open(`${render("POST", "/v1/artifacts", "Content-Length: 1\r\n")}a`))).toBe(201);
  });

  test("a body that comes by drops is no way to keep a request", async () => {
    const headers = "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n";
    const line = await open(render("POST", "/v1/jobs", headers));
    const dripping = setInterval(() => line.socket.write("1\r\n \r\n"), 50);
    expect(await readStatus(line)).toBe(408);
    clearInterval(dripping);
    await waitUntil(line.isClosed, "it is cut");
  });

  test("requests that are not answered to their last byte; whether it is alive can still be asked", async () => {
    const waiting = await Promise.all(
      Array.from({ length: 7 }, () =>
        open(render("POST", "/v1/jobs", "Content-Type: application/json\r\nContent-Length: 50\r\n")),
      ),
    );
    const statuses: number[] = [];
    await waitUntil(async () => {
      const { status } = await fetch(`${world.url}/v1/jobs`);
      statuses.push(status);
      return status === 503;
    }, "a refusal");
    expect((await fetch(`${world.url}/v1/health`)).status).toBe(200);
    expect(statuses.every((status) => status === 200 || status === 503)).toBe(true);
    await waitUntil(() => waiting.every((line) => line.isClosed()), "the others are over");
    expect((await fetch(`${world.url}/v1/jobs`)).status).toBe(200);
  });
});

test("who says nothing, or never ends the headers, is cut", async () => {
  const silent = await open("");
  const endless = await open("GET / HTTP/1.1\r\nHost: localhost\r\n");
  const dripping = setInterval(() => endless.socket.write("X: y\r\n"), 200);
  await waitUntil(() => silent.isClosed() && endless.isClosed(), "both are cut");
  clearInterval(dripping);
  expect(performance.now() - silent.openedAt).toBeLessThan(20_000);
}, 30_000);
