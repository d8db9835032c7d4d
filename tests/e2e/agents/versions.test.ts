import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { type Agent, addToken, countFollowers, reachAgent, startAgent } from "../../support/agent.ts";
import { waitUntil } from "../../support/wait.ts";
import { createWorld, type World } from "../../support/world.ts";

const VERSIONS = ["2026-07-28", "2025-11-25", "2025-06-18", "2025-03-26"];
const NEWEST_WITH_HANDSHAKE = "2025-11-25";
const UNSUPPORTED_VERSION = -32_022;

const WAYS: Readonly<Record<string, (version: string) => Promise<Agent>>> = {
  "nx mcp": (version) => startAgent(world, world.home, { version }),
  "/mcp": (version) => reachAgent(world.url, token, { version }),
};

let world: World;
let token: string;
const agents: Agent[] = [];

beforeAll(async () => {
  world = await createWorld();
  await world.startServer();
  token = await addToken(world, "tester");
});

afterAll(() => world.dispose());

afterEach(async () => {
  for (const agent of agents.splice(0)) await agent.close();
});

const say = async (method: string, params: object, version?: string): Promise<Record<string, unknown>> => {
  const headers = {
    accept: "application/json, text/event-stream",
    "content-type": "application/json",
    authorization: `Bearer ${token}`,
    ...(version === undefined ? {} : { "mcp-protocol-version": version, "mcp-method": method }),
  };
  const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method, params });
  const text = await (await fetch(`${world.url}/mcp`, { method: "POST", headers, body })).text();
  return JSON.parse(/^data: (.*)$/m.exec(text)?.[1] ?? text);
};

describe.each(VERSIONS)("a client of version %s", (version) => {
  describe.each(Object.keys(WAYS))("at %s", (way) => {
    const connect = async (): Promise<Agent> => {
      const agent = await WAYS[way]?.(version);
      if (agent === undefined) throw new Error(way);
      agents.push(agent);
      return agent;
    };

    test("is served in its version, and told what is there", async () => {
      const { client } = await connect();
      expect(client.getNegotiatedProtocolVersion()).toBe(version);
      expect(client.getServerVersion()?.name).toBe("nexus");
      expect(client.getInstructions()).toContain("preview");
      expect((await client.listTools()).tools).toHaveLength(10);
      expect((await client.listResourceTemplates()).resourceTemplates).toHaveLength(2);
    });

    test("submits, waits, is told how far it is, reads a log, and is told what is wrong", async () => {
      const agent = await connect();
      const asked = { commands: [`echo loss 7; : ${version}`, "echo loss 8"], gpus: 0, code: false };
      const { facts: shown } = await agent.call("submit", asked);
      const { facts: queued } = await agent.call("submit", { ...asked, confirm: shown["confirm"] });
      const ids = queued["submitted"] as string[];
      const seen: unknown[] = [];
      const onprogress = (progress: unknown): void => void seen.push(progress);
      const waiting = { name: "wait", arguments: { ids, search: "^loss" } };
      const { structuredContent } = await agent.client.callTool(waiting, { onprogress });
      expect(structuredContent).toMatchObject({ jobs: [{ lines: ["loss 7"] }, { lines: ["loss 8"] }] });
      expect(seen).toContainEqual({ progress: expect.any(Number), total: 2 });
      const { contents } = await agent.client.readResource({ uri: `nexus://jobs/${ids[0]}/log` });
      expect(contents).toMatchObject([{ text: expect.stringContaining("loss 7") }]);
      const refusal = { code: -32_602, data: { error: "JOB_NOT_FOUND" } };
      const missed = agent.client.readResource({ uri: "nexus://jobs/nothing" });
      expect(await missed.catch((error) => error)).toMatchObject(refusal);
      expect((await agent.call("why", { id: "nothing" })).facts).toMatchObject({ error: "JOB_NOT_FOUND" });
    });

    test("ends a wait by cancelling it, and is answered after it", async () => {
      const { id } = await world.submit({ command: "sleep 300", num_gpus: 0 });
      const agent = await connect();
      const before = await countFollowers(world.url);
      const stop = new AbortController();
      const waiting = { name: "wait", arguments: { ids: [id] } };
      const cancelled = agent.client.callTool(waiting, { signal: stop.signal }).catch((error) => String(error));
      await waitUntil(async () => (await countFollowers(world.url)) === before + 1, "it waits");
      stop.abort("enough");
      expect(await cancelled).toContain("enough");
      await waitUntil(async () => (await countFollowers(world.url)) === before, "none waits");
      expect((await agent.call("cancel", { ids: [id] })).facts).toEqual({ killed: [id] });
    });
  });
});

describe("a client of a version that Nexus does not know", () => {
  test.each(["2024-01-01", "2099-01-01"])("is offered the newest with a handshake for %s", async (protocolVersion) => {
    const { result } = await say("initialize", {
      protocolVersion,
      capabilities: {},
      clientInfo: { name: "other", version: "1" },
    });
    expect(result).toMatchObject({ protocolVersion: NEWEST_WITH_HANDSHAKE });
  });

  test("is told which there are where it has no handshake", async () => {
    const version = "2099-01-01";
    const _meta = {
      "io.modelcontextprotocol/protocolVersion": version,
      "io.modelcontextprotocol/clientInfo": { name: "other", version: "1" },
      "io.modelcontextprotocol/clientCapabilities": {},
    };
    const { error } = await say("tools/list", { _meta }, version);
    expect(error).toMatchObject({ code: UNSUPPORTED_VERSION, data: { requested: version, supported: ["2026-07-28"] } });
  });
});
