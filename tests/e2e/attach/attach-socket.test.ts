import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import type { WireJob } from "../../../src/wire/job.ts";
import { ECHOING_JOB } from "../../support/echoing-job.ts";
import { stopChild } from "../../support/programs.ts";
import { waitUntil } from "../../support/wait.ts";
import { createWorld, type World } from "../../support/world.ts";

type Viewer = Readonly<{
  socket: WebSocket;
  text: () => string;
  type: (keys: string) => void;
  see: (what: string | RegExp) => Promise<void>;
  closed: () => string | null;
}>;

let world: World;
const viewers: WebSocket[] = [];

beforeEach(async () => {
  world = await createWorld();
});

afterEach(async () => {
  for (const socket of viewers.splice(0)) socket.terminate();
  await world.dispose();
});

const open = async (id: string, query = ""): Promise<Viewer> => {
  const socket = new WebSocket(`${world.url.replace("http", "ws")}/v1/jobs/${id}/attach${query}`);
  socket.binaryType = "arraybuffer";
  viewers.push(socket);
  const decoder = new TextDecoder();
  let text = "";
  let end: string | null = null;
  socket.addEventListener("message", ({ data }) => {
    text += decoder.decode(data as ArrayBuffer, { stream: true });
  });
  socket.addEventListener("close", ({ code, reason }) => {
    end = `${code} ${reason}`;
  });
  await waitUntil(() => socket.readyState === WebSocket.OPEN || end !== null, "the socket is open or refused");
  return {
    socket,
    text: () => text,
    type: (keys) => socket.send(new TextEncoder().encode(keys)),
    see: async (what) => {
      try {
        await waitUntil(() => text.search(what) !== -1, String(what));
      } catch (error) {
        throw new Error(`${String(error)} in ${JSON.stringify(text.slice(-1000))}, closed: ${end}`);
      }
    },
    closed: () => end,
  };
};

const submit = (command: string): Promise<WireJob> => world.submit({ command, num_gpus: 0 });

const startJob = async (command: string): Promise<WireJob> => {
  const { id } = await submit(command);
  return world.waitFor(id, ["running"]);
};

const waitForReady = ({ id }: WireJob): Promise<void> =>
  waitUntil(
    async () => (await (await fetch(`${world.url}/v1/jobs/${id}/logs`)).text()).includes("\\nready"),
    "the job is ready",
  );

const readCommandLine = (pid: string): string => {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
  } catch {
    return "";
  }
};

const listViewersOf = (job: WireJob): readonly string[] =>
  readdirSync("/proc").filter((pid) => {
    const line = /^\d+$/.test(pid) ? readCommandLine(pid) : "";
    return line.startsWith("screen -U -x") && line.includes(`.${job.screen_session_name} `);
  });

const waitForNoViewer = (job: WireJob): Promise<void> =>
  waitUntil(() => listViewersOf(job).length === 0, "no screen is left that shows the job");

describe("the terminal of a job", () => {
  test("is typed into, resized and detached from; closing it ends nothing and leaves no process", async () => {
    await world.startServer();
    const job = await startJob(ECHOING_JOB);
    const viewer = await open(job.id, "?columns=90&rows=20");
    await viewer.see("now 20 90");
    viewer.type("hallo wörld\r");
    await viewer.see("got hallo wörld");
    viewer.socket.send('{"columns":70,"rows":12}');
    await viewer.see("now 12 70");
    viewer.type("\u0001d");
    await waitUntil(() => viewer.closed() === "4000 detached", "the viewer is detached");
    await waitForNoViewer(job);
    const second = await open(job.id);
    await second.see("got hallo wörld");
    expect(listViewersOf(job)).toHaveLength(1);
    second.socket.terminate();
    await waitForNoViewer(job);
    expect((await world.job(job.id)).status).toBe("running");
  });

  test("gets what is typed at once, Ctrl-C included, and ends a viewer that types what nobody reads", async () => {
    await world.startServer();
    const patient = await startJob("trap 'echo interrupted' INT; echo ready; while :; do sleep 0.1; done");
    await waitForReady(patient);
    const hasty = await open(patient.id);
    hasty.type("\u0003");
    await hasty.see("interrupted");
    const deaf = await startJob("stty raw -echo; echo ready; sleep 300");
    await waitForReady(deaf);
    const flooding = await open(deaf.id);
    for (let round = 0; round < 40; round += 1) flooding.type("x".repeat(50_000));
    await waitUntil(() => flooding.closed() === "1013 the job does not read its input", "the flood is stopped");
    expect((await world.job(deaf.id)).status).toBe("running");
  });

  test("gets Ctrl-C only once it has painted: until then that would end what paints", async () => {
    const bin = join(world.folder, "bin");
    const begun = join(world.folder, "begun");
    mkdirSync(bin);
    const paintOnceResized = `#!/bin/bash
if [[ " $* " == *" -x "* ]]; then
  : > ${begun}
  until [[ $(stty size) == "12 70" ]]; do sleep 0.01; done
fi
exec ${Bun.which("screen")} "$@"\n`;
    writeFileSync(join(bin, "screen"), paintOnceResized, { mode: 0o755 });
    await world.startServer({ PATH: `${bin}:${world.env["PATH"]}` });
    const job = await startJob("trap 'echo interrupted' INT; echo ready; while :; do sleep 0.1; done");
    await waitForReady(job);
    const hasty = await open(job.id);
    await waitUntil(() => existsSync(begun), "the painter has begun");
    hasty.type("\u0003");
    hasty.socket.send('{"columns":70,"rows":12}');
    await hasty.see("interrupted");
    expect(hasty.closed()).toBeNull();
  });

  test("is shown to several at once, of whom one who only watches changes nothing", async () => {
    await world.startServer();
    const job = await startJob(ECHOING_JOB);
    const typing = await open(job.id, "?columns=90&rows=20");
    await typing.see("now 20 90");
    const watching = await open(job.id, "?columns=60&rows=10&read_only=true");
    await watching.see("now 20 90");
    watching.socket.send('{"columns":50,"rows":9}');
    watching.type("forbidden\r");
    typing.type("allowed\r");
    await typing.see("got allowed");
    await watching.see("got allowed");
    expect(typing.text()).not.toMatch(/forbidden|now (10|9) /);
    const small = await open(job.id, "?columns=75&rows=15");
    await typing.see("now 15 75");
    await small.see("now 15 75");
    const followers = async (): Promise<string> => (await fetch(`${world.url}/metrics`)).text();
    expect(await followers()).toContain('nexus_followers{kind="terminals"} 3');
    small.socket.close();
    await waitUntil(
      () => typing.text().lastIndexOf("now 20 90") > typing.text().indexOf("now 15 75"),
      "the first has its size again",
    );
    await waitUntil(() => listViewersOf(job).length === 2, "the small one has no screen");
  });

  test("closes when the job ends, when the server stops and when the server is killed", async () => {
    const server = await world.startServer();
    const short = await startJob("read line; exit 3");
    const first = await open(short.id);
    first.type("\r");
    await waitUntil(() => first.closed() === "4001 the job has ended", "the viewer hears of the end");
    expect((await world.job(short.id)).exit_code).toBe(3);
    const job = await startJob("sleep 300");
    const second = await open(job.id);
    await stopChild(server, "SIGTERM");
    await waitUntil(() => second.closed() === "1001 the server is stopping", "the viewer hears of the stop");
    await waitForNoViewer(job);
    const next = await world.startServer();
    await open(job.id);
    await waitUntil(() => listViewersOf(job).length === 1, "the viewer is there");
    await stopChild(next, "SIGKILL");
    await waitForNoViewer(job);
    await world.startServer();
    expect((await world.job(job.id)).status).toBe("running");
  });

  test("is refused before the upgrade when there is none, to strangers, and to what is no WebSocket", async () => {
    await world.startServer();
    const job = await startJob("sleep 300");
    const ended = await submit("true");
    await world.waitFor(ended.id);
    const upgrade = { upgrade: "websocket", connection: "Upgrade", "sec-websocket-version": "13" };
    const headers = { ...upgrade, "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==" };
    const ask = async (path: string, more: Readonly<Record<string, string>> = {}): Promise<unknown> => {
      const response = await fetch(`${world.url}${path}`, { headers: { ...headers, ...more } });
      const { error } = (await response.json()) as { error: string };
      return [response.status, error];
    };
    expect(await ask("/v1/jobs/nothing/attach")).toEqual([404, "JOB_NOT_FOUND"]);
    expect(await ask(`/v1/jobs/${ended.id}/attach`)).toEqual([400, "INVALID_JOB_STATE"]);
    expect(await ask(`/v1/jobs/${job.id}/attach?columns=0`)).toEqual([422, "VALIDATION_ERROR"]);
    expect(await ask(`/v1/jobs/${job.id}/attach`, { origin: "http://evil.example" })).toEqual([
      403,
      "FORBIDDEN_ORIGIN",
    ]);
    expect(await ask(`/v1/jobs/${job.id}/attach`, { host: "evil.example" })).toEqual([403, "FORBIDDEN_ORIGIN"]);
    const plain = await fetch(`${world.url}/v1/jobs/${job.id}/attach`);
    expect([plain.status, (await plain.json()) as unknown]).toMatchObject([400, { error: "INVALID_REQUEST" }]);
    const strange = await open(job.id);
    strange.socket.send("no size");
    await waitUntil(() => strange.closed()?.startsWith("1007 ") === true, "the strange viewer is closed");
    await waitForNoViewer(job);
  });

  test("does not pile up for a viewer that stops reading, nor hold the job back, and is painted anew later", async () => {
    const server = await world.startServer();
    const job = await startJob("read a; yes this is a flood & read b; kill $!; wait; echo flood over; sleep 300");
    const viewer = await open(job.id);
    const { port } = new URL(world.url);
    const slow = connect(Number(port), "127.0.0.1");
    const keys = "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==";
    slow.write(`GET /v1/jobs/${job.id}/attach HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n${keys}\r\n\r\n`);
    await waitUntil(() => listViewersOf(job).length === 2, "both are there");
    slow.pause();
    const before = readMemoryMib(server.pid ?? 0);
    viewer.type("\r");
    await waitUntil(() => listViewersOf(job).length === 1, "the slow one has no terminal");
    viewer.type("\r");
    await viewer.see("flood over");
    expect(listViewersOf(job)).toHaveLength(1);
    expect(readMemoryMib(server.pid ?? 0) - before).toBeLessThan(60);
    let text = "";
    slow.on("data", (bytes) => {
      text = (text + bytes.toString("latin1")).slice(-100_000);
    });
    slow.resume();
    await waitUntil(() => text.includes("flood over"), "the slow one sees the end too");
    slow.destroy();
    await waitUntil(() => listViewersOf(job).length === 1, "the slow one is gone");
  });
});

const readMemoryMib = (pid: number): number =>
  Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0) / 1024;

describe("events", () => {
  test("tell the life of a job and the blacklist, and go on where a reader left", async () => {
    const server = await world.startServer();
    const follow = async (lastEventId: string | null) => {
      const headers = lastEventId === null ? {} : { "last-event-id": lastEventId };
      const { body } = await fetch(`${world.url}/v1/events`, { headers: headers as Record<string, string> });
      const reader = (body ?? new ReadableStream<Uint8Array>()).getReader();
      let text = "";
      const readUntil = async (what: string): Promise<string> => {
        while (!text.includes(what)) {
          const { done, value } = await reader.read();
          if (done) throw new Error(`the events ended before ${what}: ${text}`);
          text += new TextDecoder().decode(value);
        }
        return text;
      };
      return { readUntil, stop: () => reader.cancel() };
    };
    const first = await follow(null);
    await first.readUntil("id: ");
    const { id } = await submit("exit 3");
    const life = await first.readUntil('"status":"failed"');
    const jobs = [...life.matchAll(/data: (\{.*\})/g)].map(([, data]) => JSON.parse(data ?? "") as WireJob);
    expect(jobs.every((job) => job.id === id)).toBe(true);
    expect([...new Set(jobs.map((job) => job.status))]).toEqual(["queued", "running", "failed"]);
    expect(jobs.at(-1)).toEqual(await world.job(id));
    await first.stop();
    const last = [...life.matchAll(/id: (\S+)/g)].at(-1)?.[1] ?? "";
    await fetch(`${world.url}/v1/gpus/1/blacklist`, { method: "PUT" });
    await fetch(`${world.url}/v1/gpus/1/blacklist`, { method: "PUT" });
    const again = await (await follow(last)).readUntil("event: gpu");
    expect(again).toContain('data: {"gpu_idx":1,"blacklisted":true,"changed":true}');
    expect(again).not.toContain("event: job");
    await stopChild(server, "SIGKILL");
    await world.startServer();
    expect(await (await follow(last)).readUntil("event: ")).toContain("event: resync");
  });
});
