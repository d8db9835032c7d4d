import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Agent, startAgent } from "../../support/agent.ts";
import { createWorld, type World } from "../../support/world.ts";

let world: World;
let folder: string;
const agents: Agent[] = [];

const start = async (cwd = folder): Promise<Agent> => {
  const agent = await startAgent(world, cwd);
  agents.push(agent);
  return agent;
};

beforeAll(async () => {
  world = await createWorld();
  await world.startServer();
  folder = join(world.folder, "project");
  mkdirSync(folder);
  writeFileSync(join(folder, "train.sh"), "echo loss $1; echo $1 > result\n");
  for (const words of [
    ["init", "-qb", "main"],
    ["add", "."],
    ["commit", "-qm", "begin"],
  ])
    await world.git(words, folder);
});

afterAll(() => world.dispose());

afterEach(async () => {
  for (const agent of agents.splice(0)) await agent.close();
});

const NAMES = ["status", "submit", "wait", "logs", "jobs", "why", "cancel", "redo", "files", "usage"];

describe("nx mcp", () => {
  test("offers its tools, each with a description, a schema, and whether it changes anything", async () => {
    const { client } = await start();
    const { tools } = await client.listTools();
    expect(tools.map(({ name }) => name)).toEqual(NAMES);
    const reading = tools.filter(({ annotations }) => annotations?.readOnlyHint).map(({ name }) => name);
    expect(reading).toEqual(["status", "wait", "logs", "jobs", "why", "files", "usage"]);
    for (const { description, inputSchema } of tools) {
      expect(description).toMatch(/\.$|ID$/);
      expect(inputSchema).toMatchObject({ type: "object", additionalProperties: false });
    }
    expect(client.getServerVersion()?.name).toBe("nexus");
    expect(client.getInstructions()).toContain("preview");
  });

  test("shows what is there, and the same in text as in structure", async () => {
    const agent = await start();
    const { facts, text } = await agent.call("status");
    expect(JSON.parse(text)).toEqual(facts);
    expect(facts).toMatchObject({ target: "local", queued: 0, gpus: [{ index: 0, use: "available" }, { index: 1 }] });
    expect(facts["warnings"]).toEqual(["the GPUs are mock ones, so jobs run without a GPU"]);
  });

  test("previews jobs, queues them once confirmed, and waits for them in one call", async () => {
    const agent = await start();
    const asked = { commands: ["bash train.sh 7", "bash train.sh 8; exit 3"], env: { SEED: "1" } };
    const { facts: preview } = await agent.call("submit", asked);
    expect(preview["preview"]).toMatchObject({
      jobs: asked.commands,
      gpus_each: 1,
      code: { folder, branch: "main", dirty: false },
      when: "at once: 2 of 2 GPUs free, 0 jobs queued before",
    });
    expect((await agent.call("jobs")).facts).toEqual({ jobs: [] });
    const confirmed = { ...asked, confirm: preview["confirm"] };
    const { facts: done } = await agent.call("submit", confirmed);
    const ids = done["submitted"] as string[];
    expect(ids).toHaveLength(2);
    const twice = await Promise.all([agent.call("submit", confirmed), agent.call("submit", confirmed)]);
    expect(twice.map(({ facts }) => facts["submitted"])).toEqual([ids, ids]);
    const { facts: ended } = await agent.call("wait", { ids, timeout: 60 });
    expect(ended["jobs"]).toMatchObject([
      { id: ids[0], status: "completed", exit_code: 0, lines: ["bash train.sh 7", "loss 7"], files: ["result"] },
      {
        id: ids[1],
        status: "failed",
        exit_code: 3,
        reason: "Job failed with exit code 3",
        lines: ["bash train.sh 8; exit 3", "loss 8"],
      },
    ]);
    expect((await agent.call("jobs", { status: ["failed"] })).facts["jobs"]).toMatchObject([{ id: ids[1] }]);
  });

  test("asks of the queue what a job may ask of it, for all jobs of one submission", async () => {
    const agent = await start();
    const fields = {
      name: "agents-sweep",
      time_limit_s: 600,
      retry: { count: 2, causes: ["oom"] },
      held: true,
      batch_max: 1,
    };
    const asked = { commands: ["true", "true"], gpus: 0, code: false, ...fields };
    const { facts } = await agent.call("submit", asked);
    expect(facts["preview"]).toMatchObject(fields);
    const { facts: done } = await agent.call("submit", { ...asked, confirm: facts["confirm"] });
    const ids = done["submitted"] as string[];
    expect(ids).toHaveLength(2);
    for (const id of ids) expect(await world.job(id)).toMatchObject(fields);
    expect((await agent.call("cancel", { ids })).isError).toBeFalsy();
    expect((await agent.call("submit", { ...asked, time_limit_s: 0 })).isError).toBe(true);
  });

  test("takes what the project's file says where nothing else is said", async () => {
    const path = join(folder, ".nexus.toml");
    writeFileSync(path, "priority = 7\ngpus = 2\n");
    const agent = await start();
    const { facts } = await agent.call("submit", { commands: ["true"] });
    const { facts: own } = await agent.call("submit", { commands: ["true"], priority: 1, gpus: 1 });
    rmSync(path);
    expect(facts["preview"]).toMatchObject({ priority: 7, gpus_each: 2 });
    expect(own["preview"]).toMatchObject({ priority: 1, gpus_each: 1 });
  });

  test("refuses a confirm of something else, and shows what it would be now", async () => {
    const agent = await start();
    const { facts } = await agent.call("submit", { commands: ["true"], code: false });
    const other = await agent.call("submit", { commands: ["false"], code: false, confirm: facts["confirm"] });
    expect(other.isError).toBe(true);
    expect(other.facts).toMatchObject({ error: "NOT_CONFIRMED", preview: { jobs: ["false"] } });
    expect((await agent.call("jobs", { search: "^false$" })).facts).toEqual({ jobs: [] });
  });

  test("asks for a new look where the code has changed since the preview", async () => {
    const agent = await start();
    const { facts } = await agent.call("submit", { commands: ["cat new"], gpus: 0 });
    writeFileSync(join(folder, "new"), "1");
    const late = await agent.call("submit", { commands: ["cat new"], gpus: 0, confirm: facts["confirm"] });
    expect(late.facts).toMatchObject({ error: "NOT_CONFIRMED", preview: { code: { dirty: true } } });
  });

  test("runs a job again with the code that it ran, and what was changed", async () => {
    const agent = await start();
    const first = { commands: ["bash train.sh 1"], gpus: 0 };
    const { facts: preview } = await agent.call("submit", first);
    const { facts: queued } = await agent.call("submit", { ...first, confirm: preview["confirm"] });
    const [id] = queued["submitted"] as string[];
    const again = { id, command: "bash train.sh 2", gpus: 0 };
    const { facts: shown } = await agent.call("redo", again);
    expect(shown["preview"]).toMatchObject({ jobs: ["bash train.sh 2"], gpus_each: 0 });
    const { facts: redone } = await agent.call("redo", { ...again, confirm: shown["confirm"] });
    const { facts } = await agent.call("wait", { ids: redone["submitted"], timeout: 60 });
    expect(facts["jobs"]).toMatchObject([{ status: "completed", lines: ["bash train.sh 2", "loss 2"] }]);
  });

  test("finds lines of a log, and those that came since", async () => {
    const { id } = await world.submit({ command: "for n in 1 2 3; do echo loss $n; echo other; done; sleep 300" });
    const agent = await start();
    const read = async (given: object) => (await agent.call("logs", { id, ...given })).facts;
    const { jobs } = (await agent.call("wait", { ids: [id], timeout: 0.01 })).facts as { jobs: object[] };
    expect(jobs).toMatchObject([{ id }]);
    await world.waitFor(id, ["running"]);
    let next = 0;
    let lines: string[] = [];
    while (lines.length < 6) {
      const more = await read({ since: next });
      lines = [...lines, ...(more["lines"] as string[]).filter((line) => line !== "")];
      next = more["next"] as number;
    }
    expect(lines.filter((line) => line.startsWith("loss"))).toEqual(["loss 1", "loss 2", "loss 3"]);
    expect(await read({ search: "^loss [23]" })).toMatchObject({ lines: ["loss 2", "loss 3"] });
    expect(await read({ search: "^loss", lines: 1 })).toMatchObject({ lines: ["loss 3"], left_out: 2 });
    expect(await read({ since: next })).toEqual({ lines: [], next });
    const cancelled = await agent.call("cancel", { ids: [id, "nothing"] });
    expect(cancelled).toMatchObject({ isError: true, facts: { killed: [id], refused: [{ id: "nothing" }] } });
    expect((await agent.call("wait", { ids: [id], timeout: 60 })).facts["jobs"]).toMatchObject([{ status: "killed" }]);
  });

  test("says when a wait was too short, and wakes for the first of several", async () => {
    const slow = await world.submit({ command: "sleep 300", num_gpus: 0 });
    const quick = await world.submit({ command: "sleep 0.5", num_gpus: 0 });
    const agent = await start();
    const short = await agent.call("wait", { ids: [slow.id], timeout: 0.1 });
    expect(short.facts).toMatchObject({ timed_out: true, jobs: [{ id: slow.id }] });
    const any = await agent.call("wait", { ids: [slow.id, quick.id], any: true, timeout: 60 });
    expect(any.facts["jobs"]).toMatchObject([{ status: "running" }, { id: quick.id, status: "completed" }]);
    await agent.call("cancel", { ids: [slow.id] });
  });

  test("says why a job waits", async () => {
    const first = await world.submit({ command: "sleep 300", num_gpus: 2 });
    await world.waitFor(first.id, ["running"]);
    const { id } = await world.submit({ command: "true" });
    const agent = await start();
    expect((await agent.call("why", { id })).facts).toMatchObject({ reason: "gpus_taken", queue_length: 1 });
    const cancelled = await agent.call("cancel", { ids: [id, first.id] });
    expect(cancelled.facts).toEqual({ removed: [id], killed: [first.id] });
  });

  test("has each job and its log as a resource", async () => {
    const { id } = await world.submit({
      command: "printf '1%%\\r2%%\\n\\033[31mred\\033[0m\\n'",
      num_gpus: 0,
      env: { KEY: "hidden" },
    });
    await world.waitFor(id);
    const { client } = await start();
    const { resourceTemplates } = await client.listResourceTemplates();
    expect(resourceTemplates.map(({ uriTemplate }) => uriTemplate)).toEqual([
      "nexus://jobs/{id}",
      "nexus://jobs/{id}/log",
    ]);
    const { resources } = await client.listResources();
    expect(resources).toContainEqual(expect.objectContaining({ uri: `nexus://jobs/${id}` }));
    const read = async (uri: string) => (await client.readResource({ uri })).contents[0] as { text: string };
    const job = await read(`nexus://jobs/${id}`);
    expect(JSON.parse(job.text)).toMatchObject({ id, status: "completed", env_names: ["KEY"] });
    expect(job.text).not.toContain("hidden");
    expect((await read(`nexus://jobs/${id}/log`)).text).toMatch(/\n2%\nred$/);
    for (const [uri, error] of [
      ["nexus://jobs/nothing", "JOB_NOT_FOUND"],
      ["file:///etc/passwd", "WRONG_ARGUMENTS"],
      ["nexus://jobs/../x", "WRONG_ARGUMENTS"],
    ] as const)
      expect(await client.readResource({ uri }).catch((refusal) => refusal)).toMatchObject({
        code: -32_602,
        data: { error },
      });
  });
});
