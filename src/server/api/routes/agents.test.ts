import { describe, expect, test } from "bun:test";
import { createGpu, createHarness, type Harness } from "../../../../tests/support/api.ts";
import type { JobRequestInput } from "../../../wire/job.ts";

const GPUS = [0, 1, 2, 3].map((index) => createGpu(index));
const LIMITS = { gpus: 2, queued: 3, gpuHours: 1 };
const STARTED_AT = 1_699_990_000;
const DAY_BEFORE = STARTED_AT - 90_000;

type Answered = Readonly<Record<string, ReturnType<typeof JSON.parse>>>;
type Asker = (method: string, path: string, json?: unknown) => Promise<Readonly<{ status: number; body: Answered }>>;

const createAgent = (harness: Harness): Asker => {
  const authorization = `Bearer ${harness.addToken("bot", "agent", undefined, LIMITS)}`;
  return async (method: string, path: string, json?: unknown) => {
    const options = { headers: { authorization }, peer: "10.0.0.9", ...(json === undefined ? {} : { json }) };
    const response = await harness.call(method, path, options);
    return { status: response.status, body: response.status === 204 ? {} : ((await response.json()) as Answered) };
  };
};

const job = (fields: Partial<JobRequestInput> = {}) => ({ command: "true", ...fields });

describe("an agent", () => {
  test("is a user: it submits and changes its own jobs, and nobody else's", async () => {
    const harness = createHarness(GPUS);
    const ask = createAgent(harness);
    await harness.submit({ job_id: "other", user: "ann" });
    const own = await ask("POST", "/v1/jobs", job({ job_id: "own" }));
    expect([own.status, own.body.user]).toEqual([201, "bot"]);
    expect((await ask("DELETE", "/v1/jobs/own")).status).toBe(204);
    expect((await ask("DELETE", "/v1/jobs/other")).status).toBe(403);
    expect((await ask("POST", "/v1/jobs", job({ user: "ann" }))).status).toBe(403);
    const blacklist = await ask("PUT", "/v1/gpus/1/blacklist");
    expect(blacklist.body.message).toBe("Only an admin may do this, and bot is an agent");
  });

  test.each<[string, readonly Partial<JobRequestInput>[], object]>([
    ["more GPUs at once", [{ num_gpus: 3 }], { limit: "agent_gpus", max: 2, asked: 3 }],
    ["more queued jobs", [{}, {}, {}, {}], { limit: "agent_queued", max: 3, asked: 4 }],
    [
      "more GPUs now",
      [
        { num_gpus: 2, run_immediately: true },
        { num_gpus: 1, run_immediately: true },
      ],
      { limit: "agent_gpus", max: 2, asked: 3 },
    ],
  ])("is refused %s than it may have, is told what is left, and nothing is queued", async (_what, jobs, reached) => {
    const harness = createHarness(GPUS);
    const ask = createAgent(harness);
    const { status, body } = await ask("POST", "/v1/jobs/batch", jobs.map(job));
    expect([status, body]).toMatchObject([403, { error: "LIMIT_REACHED", ...reached }]);
    expect(body.message).toContain(
      "left: 2 of 2 GPUs at once, 3 of 3 queued jobs, 1 of 1 GPU hours a day: wait until some have ended, or take some out",
    );
    expect(harness.store.countJobs().queued).toBe(0);
  });

  test("counts what runs and waits, and has room again when that ends", async () => {
    const harness = createHarness(GPUS);
    const ask = createAgent(harness);
    for (const id of ["a", "b", "c"]) expect((await ask("POST", "/v1/jobs", job({ job_id: id }))).status).toBe(201);
    await harness.startJob("a", [0]);
    expect((await ask("GET", "/v1/usage")).body.limits).toMatchObject({
      gpus: { max: 2, used: 1, left: 1 },
      queued: { max: 3, used: 2, left: 1 },
    });
    expect((await ask("POST", "/v1/jobs", job())).status).toBe(201);
    const refused = await ask("POST", "/v1/jobs", job());
    expect(refused.body.message).toContain("left: 1 of 2 GPUs at once, 0 of 3 queued jobs");
    await ask("DELETE", "/v1/jobs/b");
    expect((await ask("POST", "/v1/jobs", job())).status).toBe(201);
  });

  test("that has had its GPU hours queues CPU jobs only, until a day has gone by", async () => {
    const harness = createHarness(GPUS);
    const ask = createAgent(harness);
    await ask("POST", "/v1/jobs", job({ job_id: "early", num_gpus: 2 }));
    await harness.startJob("early", [0, 1], DAY_BEFORE);
    await harness.endJob("early", "completed", DAY_BEFORE + 3600);
    await ask("POST", "/v1/jobs", job({ job_id: "long", num_gpus: 2 }));
    await harness.startJob("long", [0, 1], STARTED_AT);
    await harness.endJob("long", "completed", STARTED_AT + 1800);
    const usage = (await ask("GET", "/v1/usage?days=1")).body;
    expect(usage.users).toEqual([{ user: "bot", jobs: 1, gpu_hours: 1 }]);
    expect(usage.limits.gpu_hours).toEqual({ max: 1, used: 1, left: 0 });
    const refused = await ask("POST", "/v1/jobs", job());
    expect([refused.status, refused.body]).toMatchObject([403, { limit: "agent_gpu_hours", max: 1, asked: 1 }]);
    expect((await ask("POST", "/v1/jobs", job({ num_gpus: 0 }))).status).toBe(201);
  });

  test("is told why a job of its waits for its own others", async () => {
    const harness = createHarness(GPUS);
    const ask = createAgent(harness);
    await ask("POST", "/v1/jobs", job({ job_id: "first", num_gpus: 2 }));
    await harness.startJob("first", [0, 1]);
    await ask("POST", "/v1/jobs", job({ job_id: "next" }));
    const { body } = await ask("GET", "/v1/jobs/next/why");
    expect([body.reason, body.text]).toEqual([
      "agent_limit",
      "bot is an agent that may have 2 GPUs at once: its jobs have 2, or get them first",
    ]);
  });

  test("can't widen a job that waits beyond what it may have", async () => {
    const harness = createHarness(GPUS);
    const ask = createAgent(harness);
    await ask("POST", "/v1/jobs", job({ job_id: "own" }));
    const { status, body } = await ask("PATCH", "/v1/jobs/own", { num_gpus: 3 });
    expect([status, body]).toMatchObject([403, { error: "LIMIT_REACHED", limit: "agent_gpus", max: 2, asked: 3 }]);
    expect((await ask("PATCH", "/v1/jobs/own", { num_gpus: 2 })).status).toBe(200);
  });
});

test("the use of all is told to everybody, those who used most first, and limits to agents only", async () => {
  const harness = createHarness(GPUS);
  for (const [id, user, gpus] of [
    ["a", "ann", 1],
    ["b", "bob", 2],
    ["c", "eve", 0],
  ] as const) {
    await harness.submit({ job_id: id, user, num_gpus: gpus });
    await harness.startJob(id, [0, 1].slice(0, gpus), STARTED_AT);
    await harness.endJob(id, "failed", STARTED_AT + 3600);
  }
  const read = async (query: string) => (await (await harness.call("GET", `/v1/usage?${query}`)).json()) as Answered;
  expect(await read("")).toMatchObject({
    users: [
      { user: "bob", jobs: 1, gpu_hours: 2 },
      { user: "ann", jobs: 1, gpu_hours: 1 },
      { user: "eve", jobs: 1, gpu_hours: 0 },
    ],
    limits: null,
  });
  expect((await read("user=ann")).users).toEqual([{ user: "ann", jobs: 1, gpu_hours: 1 }]);
  expect((await harness.call("GET", "/v1/usage?days=0")).status).toBe(422);
});

test("/mcp is for those who may read, and asks for a token as all else does", async () => {
  const harness = createHarness(GPUS);
  const json = { jsonrpc: "2.0", id: 1, method: "tools/call", params: { name: "jobs", arguments: {} } };
  const ask = async (authorization: string | null) => {
    const headers = {
      accept: "application/json, text/event-stream",
      ...(authorization === null ? {} : { authorization }),
    };
    const response = await harness.call("POST", "/mcp", { json, headers, peer: "10.0.0.9" });
    return [response.status, await response.text()] as const;
  };
  expect((await ask(null))[0]).toBe(401);
  expect((await ask("Bearer nonsense"))[0]).toBe(401);
  const [status, text] = await ask(`Bearer ${harness.addToken("eve", "viewer")}`);
  expect([status, text]).toEqual([200, expect.stringContaining('"structuredContent":{"jobs":[]}')]);
  const told = harness.lines
    .filter(({ event }) => event === "request")
    .map(({ fields }) => [fields["path"], fields["user"]]);
  expect(told.slice(-2)).toEqual([
    ["/mcp", "eve"],
    ["/v1/jobs", "eve"],
  ]);
});

describe("what goes wrong with a message to /mcp", () => {
  const told = ({ lines }: Harness) => lines.filter(({ event }) => event === "agent's message failed");
  const tell = async (harness: Harness, json: unknown, accept = "application/json, text/event-stream") => {
    const response = await harness.call("POST", "/mcp", { json, headers: { accept } });
    return response.text();
  };
  const ask = (method: string, params: object) => ({ jsonrpc: "2.0", id: 1, method, params });

  test("is one line of the log, with the id of the request", async () => {
    const harness = createHarness(GPUS);
    await tell(harness, ask("tools/list", {}), "text/html");
    expect(told(harness)).toMatchObject([
      { level: "warn", fields: { message: expect.stringContaining("Not Acceptable"), request_id: expect.any(String) } },
    ]);
    await tell(harness, { jsonrpc: "2.0", id: `\u001b[2J${"x".repeat(9000)}`, result: {} });
    const [, second, ...more] = told(harness).map(({ fields }) => String(fields["message"]));
    expect(more).toEqual([]);
    expect(second).not.toContain("\u001b");
    expect(second?.length).toBeLessThanOrEqual(500);
  });

  test("is a line where a tool breaks, and none where it is answered or refused", async () => {
    const harness = createHarness(GPUS);
    await tell(harness, ask("tools/call", { name: "jobs", arguments: {} }));
    await tell(harness, ask("tools/call", { name: "jobs", arguments: { no: 1 } }));
    await tell(harness, ask("tools/call", { name: "nothing", arguments: {} }));
    await tell(harness, ask("resources/read", { uri: "nexus://jobs/none" }));
    expect(told(harness)).toEqual([]);
    const breaks = async function* () {
      yield [];
      yield [];
      throw new Error("broken in the middle");
    };
    Object.assign(harness.store, { listJobs: breaks });
    await tell(harness, ask("tools/call", { name: "status", arguments: {} }));
    expect(told(harness)).toMatchObject([{ fields: { message: expect.stringContaining("broken") } }]);
  });
});

test.each([{ holder: { user: "bob", isOwner: false } }, { localUser: { user: "bob", isOwner: false } }])(
  "/mcp asks as whom the kernel names: %p",
  async (known) => {
    const local = { loopback: "owner", isShared: true, owner: "nexus", roles: new Map() } as const;
    const { app, lines } = createHarness(GPUS, null, { local });
    const body = { jsonrpc: "2.0", id: 1, method: "tools/call", params: { name: "jobs", arguments: {} } };
    const headers = {
      ...{ host: "localhost", "content-type": "application/json", "x-nexus-user": "eve" },
      accept: "application/json, text/event-stream",
    };
    const request = new Request("http://localhost/mcp", { method: "POST", headers, body: JSON.stringify(body) });
    const response = await app.fetch(request, { address: "127.0.0.1", ...known });
    expect(await response.text()).toContain('"structuredContent":{"jobs":[]}');
    expect(lines.map(({ fields }) => [fields["path"], fields["user"], fields["peer"]])).toEqual([
      ["/mcp", "bob", "127.0.0.1"],
      ["/v1/jobs", "bob", "127.0.0.1"],
    ]);
  },
);

test("/mcp gives each agent that begins a session of its own, and no other message one", async () => {
  const { call } = createHarness(GPUS);
  const headers = { accept: "application/json, text/event-stream" };
  const ask = async (method: string, params: object): Promise<string | null> => {
    const response = await call("POST", "/mcp", { json: { jsonrpc: "2.0", id: 1, method, params }, headers });
    expect([response.status, await response.text()]).toEqual([200, expect.stringContaining('"result"')]);
    return response.headers.get("mcp-session-id");
  };
  const hello = { protocolVersion: "2025-06-18", capabilities: {}, clientInfo: { name: "t", version: "1" } };
  const [one, other] = [await ask("initialize", hello), await ask("initialize", hello)];
  expect([one, other]).toEqual([expect.stringMatching(/^[0-9a-f-]{36}$/), expect.stringMatching(/^[0-9a-f-]{36}$/)]);
  expect(one).not.toBe(other);
  expect(await ask("tools/list", {})).toBeNull();
});

test("/mcp says what is wrong with what is no message, and with a client that takes no events", async () => {
  const { call } = createHarness(GPUS);
  const both = "application/json, text/event-stream";
  const list = { jsonrpc: "2.0", id: 1, method: "tools/list" };
  for (const [json, accept, status] of [
    [{}, both, 400],
    [[], both, 400],
    [list, "text/html", 406],
    [list, both, 200],
    [{ jsonrpc: "2.0", method: "notifications/initialized" }, both, 202],
  ] as const) {
    const response = await call("POST", "/mcp", { json, headers: { accept } });
    expect([json, response.status]).toEqual([json, status]);
    const text = await response.text();
    if (status >= 400)
      expect(JSON.parse(text)).toMatchObject({ jsonrpc: "2.0", error: { message: expect.any(String) } });
  }
});

test("GPU hours are told to the hundredth", async () => {
  const harness = createHarness(GPUS);
  await harness.submit({ job_id: "a", num_gpus: 1 });
  await harness.startJob("a", [0], STARTED_AT);
  await harness.endJob("a", "completed", STARTED_AT + 1240);
  expect(await (await harness.call("GET", "/v1/usage")).json()).toMatchObject({ users: [{ gpu_hours: 0.34 }] });
});
