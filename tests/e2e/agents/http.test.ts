import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { type Agent, addToken, countFollowers, reachAgent } from "../../support/agent.ts";
import { NEXUS_SERVER, runProgram } from "../../support/programs.ts";
import { waitUntil } from "../../support/wait.ts";
import { createWorld, type World } from "../../support/world.ts";

let world: World;
const agents: Agent[] = [];

const reach = async (token: string): Promise<Agent> => {
  const agent = await reachAgent(world.url, token);
  agents.push(agent);
  return agent;
};

const HEADERS = { accept: "application/json, text/event-stream", "content-type": "application/json" };

const post = (token: string, body: unknown, options: RequestInit = {}): Promise<Response> => {
  const headers = { ...HEADERS, authorization: `Bearer ${token}`, ...options.headers };
  const text = typeof body === "string" ? body : JSON.stringify(body);
  return fetch(`${world.url}/mcp`, { method: "POST", ...options, headers, body: text });
};

const callTool = (id: number, name: string, given: object) => ({
  jsonrpc: "2.0",
  id,
  method: "tools/call",
  params: { name, arguments: given },
});

const submit = async (agent: Agent, asked: object): Promise<readonly string[]> => {
  const { facts: shown } = await agent.call("submit", { ...asked });
  const { facts, text } = await agent.call("submit", { ...asked, confirm: shown["confirm"] });
  if (facts["submitted"] === undefined) throw new Error(text);
  return facts["submitted"] as string[];
};

beforeAll(async () => {
  world = await createWorld();
  await world.startServer({ NS_MOCK_GPUS: "4" });
});

afterAll(() => world.dispose());

afterEach(async () => {
  for (const agent of agents.splice(0)) await agent.close();
});

describe("/mcp", () => {
  test("has the tools and resources of nx mcp, done as whom the token names", async () => {
    const agent = await reach(await addToken(world, "ann"));
    const { tools } = await agent.client.listTools();
    expect(tools).toHaveLength(10);
    const { facts: shown } = await agent.call("submit", { commands: ["echo loss 3"], gpus: 0 });
    expect(shown["preview"]).toMatchObject({ user: "ann", notes: [expect.stringContaining("no code travels")] });
    const ids = await submit(agent, {
      commands: ["echo loss 3", "echo loss 4; exit 1"],
      ...{ gpus: 0, env: { SEED: "1" }, time_limit_s: 600, note: "by an agent" },
    });
    expect(await world.job(ids[0] ?? "")).toMatchObject({ time_limit_s: 600, note: "by an agent" });
    const { facts } = await agent.call("wait", { ids, search: "^loss" });
    expect(facts["jobs"]).toMatchObject([
      { status: "completed", lines: ["loss 3"] },
      { status: "failed", lines: ["loss 4"] },
    ]);
    expect((await world.job(ids[0] ?? "")).user).toBe("ann");
    const refused = await agent.call("redo", { id: ids[0] });
    expect(refused.facts["message"]).toContain("had the variables SEED, whose values are wiped");
    const { facts: again } = await agent.call("redo", { id: ids[0], without: ["SEED"], command: "echo 5" });
    const redone = { id: ids[0], without: ["SEED"], command: "echo 5", confirm: again["confirm"] };
    const { facts: more } = await agent.call("redo", redone);
    expect((await agent.call("wait", { ids: more["submitted"] })).facts["jobs"]).toMatchObject([
      { status: "completed" },
    ]);
    const { contents } = await agent.client.readResource({ uri: `nexus://jobs/${ids[0]}/log` });
    expect(contents[0]).toMatchObject({ text: expect.stringContaining("loss 3") });
    expect((await agent.call("submit", { commands: ["true"], code: true })).facts["message"]).toContain("use nx mcp");
  });

  test("refuses by role as any other request does, and tells why", async () => {
    const [ann, bob, eve] = [
      await reach(await addToken(world, "ann2")),
      await reach(await addToken(world, "bob")),
      await reach(await addToken(world, "eve", "--role", "viewer")),
    ];
    const [id = ""] = await submit(ann, { commands: ["sleep 300"], gpus: 0 });
    for (const [agent, said] of [
      [bob, "bob can't change it"],
      [eve, "eve may only look"],
    ] as const) {
      const { isError, facts } = await agent.call("cancel", { ids: [id] });
      expect([isError, facts["error"]]).toEqual([true, "FORBIDDEN"]);
      expect(facts["message"]).toContain(said);
      expect(facts["hint"]).toContain("your role does not allow it");
    }
    expect((await eve.call("jobs", { user: "ann2" })).facts["jobs"]).toMatchObject([{ id }]);
    expect((await ann.call("cancel", { ids: [id] })).facts).toEqual({ killed: [id] });
  });

  test("tells an agent in each refusal what is left, and in usage", async () => {
    const bot = await reach(
      await addToken(world, "bot", "--role", "agent", "--gpus", "2", "--queued", "3", "--gpu-hours", "8"),
    );
    const asked = { commands: ["true"], gpus: 3 };
    const { facts: shown } = await bot.call("submit", asked);
    const { isError, facts } = await bot.call("submit", { ...asked, confirm: shown["confirm"] });
    expect([isError, facts]).toMatchObject([true, { error: "LIMIT_REACHED", hint: expect.stringContaining("wait") }]);
    expect(facts["message"]).toContain("left: 2 of 2 GPUs at once, 3 of 3 queued jobs, 8 of 8 GPU hours a day");
    const ids = await submit(bot, { commands: ["sleep 300", "sleep 300", "sleep 300"] });
    await world.waitFor(ids[1] ?? "", ["running"]);
    expect((await bot.call("why", { id: ids[2] })).facts).toMatchObject({ reason: "agent_limit" });
    expect((await bot.call("usage")).facts["limits"]).toMatchObject({ gpus: { max: 2, used: 2, left: 0 } });
    await bot.call("cancel", { ids });
  });

  test("asks for a body that it can take, and takes messages only", async () => {
    const token = await addToken(world, "zoe");
    const hello = { jsonrpc: "2.0", id: 1, method: "ping" };
    expect((await post(token, hello, { headers: { origin: "https://evil.example" } })).status).toBe(403);
    expect((await post(token, "{")).status).toBe(422);
    expect((await post(token, "x".repeat(9 * 1024 * 1024))).status).toBe(413);
    expect((await post(token, hello, { headers: { "content-type": "text/plain" } })).status).toBe(415);
    expect((await post(token, { nonsense: true })).status).toBe(400);
    expect((await post(token, hello, { headers: { accept: "text/html" } })).status).toBe(406);
    const get = await fetch(`${world.url}/mcp`, { headers: { authorization: `Bearer ${token}` } });
    expect([get.status, get.headers.get("allow")]).toEqual([405, "POST"]);
    expect((await post(token, hello)).status).toBe(200);
  });

  test("ends a wait that is cancelled, and one whose connection breaks, and no one else's", async () => {
    const token = await addToken(world, "max");
    const [agent, other] = [await reach(token), await reach(token)];
    const [id = ""] = await submit(agent, { commands: ["sleep 300"], gpus: 0 });
    const before = await countFollowers(world.url);
    const stop = new AbortController();
    const wait = { name: "wait", arguments: { ids: [id] } };
    const cancelled = agent.client.callTool(wait, { signal: stop.signal }).catch((error) => String(error));
    const kept = other.client.callTool(wait);
    const leaving = new AbortController();
    const left = await post(token, callTool(99, "wait", { ids: [id] }), { signal: leaving.signal });
    await waitUntil(async () => (await countFollowers(world.url)) === before + 3, "three wait");
    stop.abort("enough");
    expect(await cancelled).toContain("enough");
    await waitUntil(async () => (await countFollowers(world.url)) === before + 2, "one is cancelled");
    leaving.abort();
    await left.text().catch(() => "");
    await waitUntil(async () => (await countFollowers(world.url)) === before + 1, "one has gone");
    await agent.call("cancel", { ids: [id] });
    expect(await kept).toMatchObject({ structuredContent: { jobs: [{ status: "killed" }] } });
    await waitUntil(async () => (await countFollowers(world.url)) === before, "none waits");
  });

  test("ends a wait within seconds once its token is revoked", async () => {
    const token = await addToken(world, "gone");
    const { id } = await world.submit({ command: "sleep 300", num_gpus: 0 });
    const response = await post(token, callTool(1, "wait", { ids: [id] }));
    await runProgram([NEXUS_SERVER, "token", "revoke", "gone"], { env: world.env, cwd: world.home });
    expect(await response.text().catch(() => "")).not.toContain("structuredContent");
  });
});
