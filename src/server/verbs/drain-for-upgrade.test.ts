import { expect, test } from "bun:test";
import { createHarness } from "../../../tests/support/api.ts";
import { waitUntil } from "../../../tests/support/wait.ts";
import { ok } from "../../base/result.ts";
import { VERSION } from "../../base/version.ts";
import type { WireDrain } from "../../wire/drain/drain.ts";
import { createUpgradeDrain } from "./drain-for-upgrade.ts";

const open = () => {
  const harness = createHarness();
  const said: string[] = [];
  const onDisk: WireDrain[] = [];
  const interrupt = new AbortController();
  let isAway = false;
  const drain = createUpgradeDrain({
    ask: async (path, init) => {
      if (isAway) throw new Error("no such socket");
      const json = init?.body === undefined ? {} : { json: JSON.parse(String(init.body)) };
      return harness.call(init?.method ?? "GET", path, json);
    },
    say: (line) => void said.push(line),
    signal: interrupt.signal,
    endOnDisk: (own) => {
      onDisk.push(own);
      return ok(undefined);
    },
    pollMs: 1,
  });
  const readDrain = () => harness.store.readDrains().last;
  const put = (why: string) => harness.call("PUT", "/v1/server/drain", { json: { why } });
  const goAway = (): void => {
    isAway = true;
  };
  return { ...harness, drain, said, onDisk, interrupt, readDrain, put, goAway };
};

const isOk = async (done: Promise<{ ok: boolean }>): Promise<boolean> => (await done).ok;

test("nothing starts until the upgrade is done, which waits for what runs and says for what", async () => {
  const { drain, submit, startJob, endJob, said, readDrain } = open();
  const { id } = await submit();
  await startJob(id);
  expect(await isOk(drain.begin())).toBe(true);
  expect(readDrain()?.why).toBe(`upgrade to ${VERSION}`);
  const waits = drain.awaitIdle();
  await waitUntil(() => said.length > 0);
  expect(said).toEqual([`Waiting for 1 job: ${id} of ann`]);
  await endJob(id);
  expect(await isOk(waits)).toBe(true);
  expect([await isOk(drain.end()), readDrain()]).toEqual([true, null]);
});

test("a drain that was there before is left as it was", async () => {
  const { drain, put, readDrain } = open();
  await put("a new driver");
  const before = readDrain();
  for (const done of [drain.begin(), drain.awaitIdle(), drain.end()]) expect(await isOk(done)).toBe(true);
  expect(readDrain()).toEqual(before);
});

test("where that ends by itself meanwhile, the upgrade has one of its own", async () => {
  const { call, drain, put, submit, startJob, endJob, said, readDrain } = open();
  const { id } = await submit();
  await startJob(id);
  await put("a new driver");
  await drain.begin();
  const waits = drain.awaitIdle();
  await waitUntil(() => said.length > 0);
  await call("DELETE", "/v1/server/drain");
  await waitUntil(() => readDrain()?.why === `upgrade to ${VERSION}`);
  await endJob(id);
  expect(await isOk(waits)).toBe(true);
  expect([await isOk(drain.end()), readDrain()]).toEqual([true, null]);
});

test("an interruption ends the wait, and takes back what was begun", async () => {
  const { drain, interrupt, submit, startJob, said, readDrain } = open();
  await startJob((await submit()).id);
  await drain.begin();
  const waits = drain.awaitIdle();
  await waitUntil(() => said.length > 0);
  interrupt.abort();
  expect(await waits).toMatchObject({ ok: false, error: { message: "interrupted: nothing was upgraded" } });
  expect([await isOk(drain.end()), readDrain()]).toEqual([true, null]);
});

test("who lets jobs start again meanwhile ends the wait", async () => {
  const { drain, call, submit, startJob, said, readDrain } = open();
  await startJob((await submit()).id);
  await drain.begin();
  const waits = drain.awaitIdle();
  await waitUntil(() => said.length > 0);
  await call("DELETE", "/v1/server/drain");
  expect(await waits).toMatchObject({ ok: false, error: { message: expect.stringContaining("let start again") } });
  expect([await isOk(drain.end()), readDrain()]).toEqual([true, null]);
});

test("a drain that somebody else took over is left to them", async () => {
  const { drain, put, readDrain } = open();
  await drain.begin();
  await put("mine now");
  for (const done of [drain.awaitIdle(), drain.end()]) expect(await isOk(done)).toBe(true);
  expect(readDrain()?.why).toBe("mine now");
});

test("a server that is away is not upgraded blindly, and its drain is ended on its disk", async () => {
  const { drain, goAway, onDisk } = open();
  await drain.begin();
  goAway();
  expect(await drain.awaitIdle()).toMatchObject({ ok: false, error: { message: expect.stringContaining("--wait") } });
  expect([await isOk(drain.end()), onDisk.map(({ why }) => why)]).toEqual([true, [`upgrade to ${VERSION}`]]);
  expect([await isOk(drain.end()), onDisk.length]).toEqual([true, 1]);
});
