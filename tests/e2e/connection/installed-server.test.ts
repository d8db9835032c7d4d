import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { chownSync, existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { asUid, canBeOthers } from "../../support/as-user.ts";
import { createInstalledMachine, type InstalledMachine } from "../../support/installed.ts";
import { createUserEnvironment } from "../../support/piped-nx.ts";
import { type Finished, runProgram } from "../../support/programs.ts";
import { canMount } from "../../support/small-disk.ts";
import { DAEMON } from "../../support/thief.ts";
import { makeJob } from "../../support/top-samples.ts";
import { waitUntil } from "../../support/wait.ts";

const ANN = 54_321;
const SERVICE = 54_322;
const UNREACHABLE = 3;
const RESTARTING = "The server of this machine is restarting";

let folder: string;
let home: string;
let machine: InstalledMachine;
let requests: string[];
let cleanUps: (() => unknown)[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "nexus-installed-"));
  home = join(folder, "home");
  mkdirSync(home);
  machine = createInstalledMachine(folder);
  requests = [];
  cleanUps = [];
});

afterEach(async () => {
  for (const cleanUp of cleanUps) await cleanUp();
  rmSync(folder, { recursive: true, force: true });
});

const JOB = makeJob({ id: "abcdef", status: "completed", exit_code: 0 });

const answer = async (request: Request): Promise<Response> => {
  const { pathname } = new URL(request.url);
  requests.push(`${request.method} ${pathname}`);
  if (pathname === "/v1/server/status") return Response.json({ server_version: "1.0.0-dev", node_name: "box" });
  return Response.json(pathname === "/v1/jobs" && request.method === "GET" ? [] : JOB);
};

const startServer = (fetch: (request: Request) => Promise<Response> = answer): (() => void) => {
  const place: object = { unix: machine.path };
  const server = Bun.serve({ ...place, fetch });
  const stop = (): void => {
    void server.stop(true);
    rmSync(machine.path, { force: true });
  };
  cleanUps.push(stop);
  return stop;
};

type Begun = Readonly<{ ended: Promise<Finished>; started: number }>;

const begin = (words: readonly string[], more: NodeJS.ProcessEnv = {}): Begun => {
  const { NEXUS_AUTOSTART: _never, ...env } = createUserEnvironment(home);
  return { ended: runProgram(machine.nx(words), { env: { ...env, ...more }, cwd: home }), started: performance.now() };
};

const nx = (words: readonly string[], more: NodeJS.ProcessEnv = {}): Promise<Finished> => begin(words, more).ended;

const startsNothing = (): void => expect(existsSync(join(home, ".local"))).toBe(false);

const SUBMIT = ["run", "-d", "-c", "--no-git", "true"];

describe.skipIf(!canMount)("where a server is installed, local", () => {
  test("is its socket, whatever NS_PORT says", async () => {
    startServer();
    const other = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: () => Response.json([]) });
    cleanUps.push(() => other.stop(true));
    const asked = await nx(["queue"], { NS_PORT: String(other.port) });
    expect([asked.exitCode, requests]).toEqual([0, ["GET /v1/jobs"]]);
    expect(asked.stderr).toContain("NS_PORT is passed over: a server is installed here");
    expect((await nx(["target", "list"])).stdout).toContain("unix:///run/nexus-server/nexus.sock");
  });

  test.each([
    ["inactive", "is stopped; start it with: sudo nexus-server start"],
    ["failed", "has failed (sudo nexus-server logs says why); start it with: sudo nexus-server start"],
    ["long active", "runs, but not at /run/nexus-server/nexus.sock"],
  ] as const)("is told at once when it is %s, and nothing is started", async (state, told) => {
    machine.setState(state);
    for (const words of [["queue"], SUBMIT, ["wait", "abcdef"], ["logs", "-F", "abcdef"]]) {
      const begun = begin(words);
      const missed = await begun.ended;
      expect([missed.exitCode, missed.stdout, missed.stderr]).toEqual([
        UNREACHABLE,
        "",
        expect.stringMatching(/^nx: .*\n$/),
      ]);
      expect(missed.stderr).toContain(told);
      expect(performance.now() - begun.started).toBeLessThan(5000);
    }
    startsNothing();
  });

  test.each([["queue"], SUBMIT, ["wait", "abcdef"]].map((words) => [words] as const))(
    "is waited for while it restarts, and nx %j says so after a second",
    async (words) => {
      machine.setState("deactivating");
      const begun = begin(words);
      let isOver = false;
      void begun.ended.then(() => (isOver = true));
      await waitUntil(() => performance.now() - begun.started > 1500, "more than a second is over");
      machine.setState("restarting");
      await waitUntil(() => performance.now() - begun.started > 2000, "another half is over");
      expect(isOver).toBe(false);
      startServer();
      machine.setState("active");
      const asked = await begun.ended;
      expect([asked.exitCode, asked.stderr.split(RESTARTING).length]).toEqual([0, 2]);
      expect(requests.filter((request) => request.startsWith("POST"))).toHaveLength(words === SUBMIT ? 1 : 0);
      startsNothing();
    },
  );

  test("is waited for by every other verb as well, and none says so twice", async () => {
    machine.setState("restarting");
    const named = ["kill", "remove", "get", "logs", "why"].map((verb) => [verb, "abcdef"]);
    const verbs = [...named, ["edit", "-p", "1", "abcdef"], ["history"], ["health"], ["blacklist", "list"], []];
    const begun = verbs.map((words) => begin(words));
    await waitUntil(() => performance.now() - (begun.at(-1)?.started ?? 0) > 1500, "more than a second is over");
    startServer();
    machine.setState("active");
    const asked = await Promise.all(begun.map(({ ended }) => ended));
    expect(Math.max(...asked.map(({ stderr }) => stderr.split(RESTARTING).length))).toBe(2);
    expect(asked.map(({ exitCode }) => exitCode)).not.toContain(UNREACHABLE);
  });

  test("is waited for without a word when it is back soon", async () => {
    machine.setState("activating");
    const begun = begin(["queue"]);
    await waitUntil(() => performance.now() - begun.started > 300, "a moment is over");
    startServer();
    machine.setState("active");
    const asked = await begun.ended;
    expect([asked.exitCode, asked.stderr]).toEqual([0, expect.not.stringContaining(RESTARTING)]);
  });

  test("is asked again when it broke off because it was stopping", async () => {
    machine.setState("deactivating");
    const dying = Bun.listen({ unix: machine.path, socket: { data: (socket) => void socket.terminate() } });
    const begun = begin(["queue"]);
    await waitUntil(() => performance.now() - begun.started > 700, "a moment is over");
    dying.stop(true);
    startServer();
    machine.setState("active");
    expect([(await begun.ended).exitCode, requests]).toEqual([0, ["GET /v1/jobs"]]);
  });

  const refuse = async (request: Request): Promise<Response> => {
    requests.push(request.method);
    const refusal = { error: "UNAVAILABLE", message: "The server is shutting down", status_code: 503 };
    return Response.json(refusal, { status: 503 });
  };

  test.each([["queue"], SUBMIT].map((words) => [words] as const))(
    "is asked again by nx %j when it refused because it was stopping",
    async (words) => {
      machine.setState("deactivating");
      const stop = startServer(refuse);
      const begun = begin(words);
      await waitUntil(() => requests.length > 0, "it has refused");
      stop();
      requests = [];
      startServer();
      machine.setState("active");
      expect((await begun.ended).exitCode).toBe(0);
      expect(requests.filter((request) => request.startsWith("POST"))).toHaveLength(words === SUBMIT ? 1 : 0);
    },
  );

  test("that refuses while it runs is not asked again", async () => {
    machine.setState("long active");
    startServer(refuse);
    const refused = await nx(["queue"]);
    expect([refused.exitCode, refused.stderr, requests]).toEqual([1, "nx: The server is shutting down\n", ["GET"]]);
  });

  test("is not waited for by Tab, which stays silent", async () => {
    machine.setState("activating");
    const begun = begin(["__complete", "kill", ""]);
    const shown = await begun.ended;
    expect([shown.exitCode, shown.stdout, shown.stderr]).toEqual([0, "", ""]);
    expect(performance.now() - begun.started).toBeLessThan(3000);
  });

  test("is followed across its restart", async () => {
    let status = "running";
    const follow = async (request: Request): Promise<Response> => {
      const { pathname } = new URL(request.url);
      requests.push(pathname);
      if (!pathname.endsWith("/events")) return Response.json({ ...JOB, status });
      const body = new ReadableStream({ start: (stream) => stream.enqueue(new TextEncoder().encode(": hello\n\n")) });
      return new Response(body, { headers: { "content-type": "text/event-stream" } });
    };
    const stop = startServer(follow);
    const begun = begin(["wait", "abcdef"]);
    await waitUntil(() => requests.filter((path) => path.endsWith("abcdef")).length > 1, "it waits");
    machine.setState("restarting");
    stop();
    status = "completed";
    startServer(follow);
    machine.setState("active");
    expect((await begun.ended).exitCode).toBe(0);
  });

  test("is not the server of NS_SERVER_DIR beside it, which is not started either", async () => {
    startServer();
    const missed = await nx(["queue"], { NS_SERVER_DIR: join(home, "own") });
    expect([missed.exitCode, missed.stderr]).toEqual([UNREACHABLE, expect.stringContaining("own/nexus.sock")]);
    expect([requests, existsSync(join(home, "own"))]).toEqual([[], false]);
  });

  test.skipIf(!canBeOthers)("is believed of the user whom systemd made its folder for, and of no other", async () => {
    startServer();
    const asAnn = (): Promise<Finished> =>
      runProgram(machine.enter(asUid(ANN, ["env", `HOME=${home}`, ...machine.nx(["queue"]).slice(-2)])), {
        env: createUserEnvironment(home),
        cwd: "/",
      });
    await runProgram(["chmod", "755", folder], { env: process.env, cwd: "/" });
    for (const path of [machine.path, dirname(machine.path)]) chownSync(path, SERVICE, SERVICE);
    await runProgram(["chmod", "666", machine.path], { env: process.env, cwd: "/" });
    expect([(await asAnn()).exitCode, requests]).toEqual([0, ["GET /v1/jobs"]]);
    chownSync(machine.path, DAEMON, DAEMON);
    const refused = await asAnn();
    expect([refused.exitCode, refused.stderr]).toEqual([UNREACHABLE, expect.stringContaining("the user daemon")]);
    expect(requests).toHaveLength(1);
  });
});
