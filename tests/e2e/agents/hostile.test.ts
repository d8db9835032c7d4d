import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { type ChildProcess, spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { type Agent, startAgent } from "../../support/agent.ts";
import { NX } from "../../support/programs.ts";
import { waitUntil } from "../../support/wait.ts";
import { createWorld, type World } from "../../support/world.ts";

type Message = Readonly<{ id?: number; result?: Record<string, unknown>; error?: { code: number; message: string } }>;

type Rogue = Readonly<{
  child: ChildProcess;
  messages: readonly Message[];
  send: (message: unknown) => void;
  answer: (id: number) => Promise<Message>;
  exit: Promise<number | null>;
}>;

let world: World;
const agents: Agent[] = [];
const rogues: Rogue[] = [];

const start = async (): Promise<Agent> => {
  const agent = await startAgent(world, world.home);
  agents.push(agent);
  return agent;
};

const HELLO = {
  jsonrpc: "2.0",
  id: 0,
  method: "initialize",
  params: { protocolVersion: "2025-06-18", capabilities: {}, clientInfo: { name: "rogue", version: "1" } },
};

const startRogue = async (): Promise<Rogue> => {
  const child = spawn(NX, ["mcp"], { env: world.env, cwd: world.home, stdio: ["pipe", "pipe", "pipe"] });
  const messages: Message[] = [];
  createInterface({ input: child.stdout }).on("line", (line) => messages.push(JSON.parse(line)));
  child.stderr.resume();
  child.stdin.on("error", () => undefined);
  const { promise: exit, resolve } = Promise.withResolvers<number | null>();
  child.once("exit", (code) => resolve(code));
  const send = (message: unknown): void =>
    void child.stdin.write(`${typeof message === "string" ? message : JSON.stringify(message)}\n`);
  const answer = async (id: number): Promise<Message> => {
    await waitUntil(() => messages.some((message) => message.id === id), `answer ${id}`);
    return messages.find((message) => message.id === id) ?? {};
  };
  const rogue = { child, messages, send, answer, exit };
  rogues.push(rogue);
  send(HELLO);
  await answer(0);
  send({ jsonrpc: "2.0", method: "notifications/initialized" });
  return rogue;
};

const callTool = (id: number, name: unknown, given?: unknown) => ({
  jsonrpc: "2.0",
  id,
  method: "tools/call",
  params: { name, arguments: given },
});

beforeAll(async () => {
  world = await createWorld();
  await world.startServer();
});

afterAll(() => world.dispose());

afterEach(async () => {
  for (const agent of agents.splice(0)) await agent.close();
  for (const { child, exit } of rogues.splice(0)) {
    child.kill("SIGKILL");
    await exit;
  }
});

describe("an agent that errs", () => {
  test.each<[string, object, string]>([
    ["wait", {}, "ids: Invalid input: expected array, received undefined"],
    ["wait", { ids: [] }, "ids: Too small: expected array to have >=1 items"],
    ["wait", { ids: ["../etc"] }, "ids.0: a job id is 1 to 64 of a-z, 0-9 and -"],
    ["wait", { ids: ["a"], timeout: -1 }, "timeout: Too small: expected number to be >=0"],
    ["wait", { ids: ["a"], timeout: "10" }, "timeout: Invalid input: expected number, received string"],
    ["logs", { id: 7 }, "id: Invalid input: expected string, received number"],
    [
      "logs",
      { id: "a", search: "(" },
      "search: not a regular expression: error parsing regexp: missing closing ): `(`",
    ],
    ["logs", { id: "a", line: 3 }, '"line" is none of its arguments; did you mean lines?'],
    [
      "jobs",
      { status: ["done"] },
      'status.0: Invalid option: expected one of "queued"|"running"|"completed"|"failed"|"killed"',
    ],
    ["submit", { commands: [" "] }, "commands.0: the command is blank"],
    ["submit", { commands: ["true"], env: { "A=B": "1" } }, "env.A=B: Invalid key in record"],
    ["submit", { commands: ["true"], gpus: 1.5 }, "gpus: Invalid input: expected int, received number"],
    ["status", { all: true }, '"all" is none of its arguments; it takes none'],
  ])("is told what is wrong with %s %j", async (name, given, message) => {
    const agent = await start();
    const { isError, facts, text } = await agent.call(name, { ...given });
    expect([isError, facts["error"], facts["message"]]).toEqual([true, "WRONG_ARGUMENTS", message]);
    expect(facts["hint"]).toBe("Call it again with arguments that its schema allows");
    expect(JSON.parse(text)).toEqual(facts);
  });

  test("is told of things that are not there, and what to do", async () => {
    const agent = await start();
    for (const [name, given] of [
      ["wait", { ids: ["none"] }],
      ["logs", { id: "none" }],
      ["why", { id: "none" }],
      ["files", { id: "none" }],
      ["redo", { id: "none" }],
    ] as const) {
      const { isError, facts } = await agent.call(name, given);
      expect([name, isError, facts]).toEqual([
        name,
        true,
        { error: "JOB_NOT_FOUND", message: "There is no job none", hint: "Find the job's id with jobs" },
      ]);
    }
  });

  test("is told what a folder without code needs", async () => {
    const agent = await start();
    const { facts } = await agent.call("submit", { commands: ["true"] });
    expect(facts["message"]).toBe(`${world.home} is in no git repository: with code false the jobs run without code`);
  });

  test("is told which tool it meant", async () => {
    const { client } = await start();
    const refusal = await client.callTool({ name: "statu", arguments: {} }).catch((error) => error);
    expect([refusal.code, refusal.message]).toEqual([-32_602, '"statu" is no tool of Nexus; did you mean status?']);
  });
});

describe("a client that keeps to nothing", () => {
  test("is answered after nonsense, wrong versions, unknown methods and wrong shapes", async () => {
    const { send, answer } = await startRogue();
    for (const nonsense of [
      "",
      "{",
      "null",
      "[]",
      '"x"',
      "\\u0000",
      '{"jsonrpc":"1.0","id":1,"method":"ping"}',
      "\u0000\u0001",
    ])
      send(nonsense);
    send({ jsonrpc: "2.0", id: 2, method: "no/such" });
    send(callTool(3, 7));
    send(callTool(4, "status", "text"));
    send(callTool(5, "status"));
    send({ jsonrpc: "2.0", id: 6, method: "tools/call" });
    send({ jsonrpc: "2.0", method: "notifications/cancelled", params: { requestId: 999 } });
    expect((await answer(2)).error?.code).toBe(-32_601);
    for (const id of [3, 4, 6]) expect((await answer(id)).error).toBeDefined();
    expect((await answer(5)).result).toMatchObject({ structuredContent: { target: "local" } });
  });

  test("gets long arguments refused, not carried out or printed", async () => {
    const { send, answer } = await startRogue();
    send(callTool(1, "x".repeat(5_000_000)));
    expect(JSON.stringify(await answer(1)).length).toBeLessThan(500);
    send(callTool(2, "wait", { ids: Array(100_000).fill("a") }));
    expect((await answer(2)).result).toMatchObject({ isError: true });
    send(callTool(3, "submit", { commands: ["x".repeat(4_000_000)], code: false }));
    expect(JSON.stringify(await answer(3)).length).toBeLessThan(3000);
    send(callTool(4, "status"));
    expect((await answer(4)).result).toMatchObject({ structuredContent: { queued: 0 } });
  });

  test("is left when it sends a message without an end", async () => {
    const { child, exit } = await startRogue();
    let told = "";
    child.stderr?.on("data", (text) => {
      told += String(text);
    });
    const piece = "x".repeat(1024 * 1024);
    for (let sent = 0; sent < 11; sent++) child.stdin?.write(piece);
    expect(await exit).toBe(1);
    expect(told).toContain("a message that is too large");
  });

  test("gets no answer to a wait that it cancels, and the next one", async () => {
    const { id } = await world.submit({ command: "sleep 300", num_gpus: 0 });
    const { send, answer, messages } = await startRogue();
    send(callTool(1, "wait", { ids: [id] }));
    send(callTool(2, "wait", { ids: [id], timeout: 0.2 }));
    await answer(2);
    send({ jsonrpc: "2.0", method: "notifications/cancelled", params: { requestId: 1 } });
    send(callTool(3, "cancel", { ids: [id] }));
    await answer(3);
    send(callTool(4, "wait", { ids: [id], timeout: 60 }));
    expect((await answer(4)).result).toMatchObject({ structuredContent: { jobs: [{ status: "killed" }] } });
    expect(messages.some((message) => message.id === 1)).toBe(false);
  });

  test("leaves nothing behind when it goes in the middle of a wait", async () => {
    const { id } = await world.submit({ command: "sleep 300", num_gpus: 0 });
    const { child, send, answer, exit } = await startRogue();
    send(callTool(1, "wait", { ids: [id] }));
    send(callTool(2, "wait", { ids: [id], timeout: 0 }));
    await answer(2);
    child.stdin?.end();
    expect(await exit).toBe(0);
    const agent = await start();
    await agent.call("cancel", { ids: [id] });
  });
});

describe("a server that goes away", () => {
  test("is waited for, and told of where it does not come back", async () => {
    const own = await createWorld();
    try {
      const server = await own.startServer();
      const gate = join(own.folder, "may-end");
      const { id } = await own.submit({ command: `until [ -e ${gate} ]; do sleep 0.05; done`, num_gpus: 0 });
      const agent = await startAgent(own, own.home);
      try {
        const waiting = agent.call("wait", { ids: [id], timeout: 60 });
        await own.waitFor(id, ["running"]);
        const isListening = async () =>
          (await (await fetch(`${own.url}/metrics`)).text()).includes('{kind="events"} 1');
        await waitUntil(isListening, "it listens");
        server.kill("SIGKILL");
        await own.startServer();
        writeFileSync(gate, "");
        expect((await waiting).facts).toMatchObject({ jobs: [{ id, status: "completed" }] });
      } finally {
        await agent.close();
      }
    } finally {
      await own.dispose();
    }
  });

  test("is told as unreachable, with what to do", async () => {
    const env = { ...world.env, NEXUS_AUTOSTART: "false", NS_PORT: "1", NS_SERVER_DIR: `${world.folder}/none` };
    const agent = await startAgent({ ...world, env }, world.home);
    agents.push(agent);
    const { isError, facts } = await agent.call("status");
    expect([isError, facts["error"]]).toEqual([true, "NOT_LISTENING"]);
    expect(facts["hint"]).toContain("Ask the user to start the server");
  });
});

test("progress is told to who asks for it", async () => {
  const { id } = await world.submit({ command: "true", num_gpus: 0 });
  await world.waitFor(id);
  const { client } = await start();
  const seen: unknown[] = [];
  const params = { name: "wait", arguments: { ids: [id] } };
  await client.callTool(params, { onprogress: (progress) => void seen.push(progress) });
  expect(seen).toEqual([{ progress: 1, total: 1 }]);
});
