import { expect, test } from "bun:test";
import { join } from "node:path";

const MODULE = join(import.meta.dir, "log.ts");

const print = async (isTerminal: boolean, lines: string, level = "info"): Promise<readonly string[]> => {
  const program = `import { createLog } from ${JSON.stringify(MODULE)}; const log = createLog(${isTerminal}, "${level}"); ${lines}`;
  const child = Bun.spawn([process.execPath, "-e", program], { stdout: "pipe", stderr: "inherit" });
  const text = await new Response(child.stdout).text();
  expect(await child.exited).toBe(0);
  return text.trimEnd().split("\n");
};

const EVENTS = `
  log.info("listening", { url: "http://localhost:1", mock_gpus: 2 });
  log.warn("machine is unhealthy");
  log.error("kill failed", { message: "two\\nlines" });`;

test("each event is one JSON document a line, with its time, where no one watches", async () => {
  const lines = await print(false, EVENTS);
  const documents = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(documents).toMatchObject([
    { level: 30, msg: "listening", url: "http://localhost:1", mock_gpus: 2 },
    { level: 40, msg: "machine is unhealthy" },
    { level: 50, msg: "kill failed", message: "two\nlines" },
  ]);
  for (const document of documents) expect(String(document["time"])).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d/);
});

test("each event is one readable line on a terminal", async () => {
  const lines = await print(true, EVENTS);
  expect(lines).toHaveLength(3);
  expect(lines[0]).toMatch(/^\d\d:\d\d:\d\d info {2}listening url=http:\/\/localhost:1 mock_gpus=2$/);
  expect(lines[1]).toMatch(/^\d\d:\d\d:\d\d warn {2}machine is unhealthy$/);
  expect(lines[2]).toMatch(/^\d\d:\d\d:\d\d error kill failed message="two\\nlines"$/);
});

test.each([true, false])(
  "what is named like a secret, and a password in a URL, is masked (terminal: %p)",
  async (isTerminal) => {
    const event = 'log.info("event", { db_pwd: "hush", reason: "smtp://ada:hush@box refused", keys: [{ a: "hush" }] })';
    const [line = ""] = await print(isTerminal, event);
    expect(line).not.toContain("hush");
    expect(line).toContain("smtp://ada:********@box refused");
  },
);

test("nothing that was logged is lost when the process exits at once", async () => {
  const lines = await print(false, 'for (let n = 0; n < 500; n++) log.info("event", { n }); process.exit(0);');
  expect(lines).toHaveLength(500);
});

test.each([true, false])("lines below the level are not written (terminal: %p)", async (isTerminal) => {
  const events = 'log.debug("a"); log.info("b"); log.warn("c"); log.error("d");';
  const count = async (level: string) => (await print(isTerminal, events, level)).filter((line) => line !== "").length;
  expect([await count("debug"), await count("info"), await count("error")]).toEqual([4, 3, 1]);
});

test("lines are written in their order", async () => {
  const program =
    'for (let n = 0; n < 3; n++) log.info("event", { n }); setImmediate(() => log.info("event", { n: 3 }));';
  const lines = await print(false, program);
  expect(lines.map((line) => (JSON.parse(line) as { n: number }).n)).toEqual([0, 1, 2, 3]);
});
