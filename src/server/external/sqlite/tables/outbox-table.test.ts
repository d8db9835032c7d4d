import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { createQueued, makeFolder, must, openIn, openTemporary, toId } from "../../../../../tests/support/store.ts";
import type { JobNews, MachineNews } from "../../../core/notices/news.ts";
import type { KeptSubject, Notice } from "../../../core/notices/outbox.ts";
import type { Store } from "../../../core/store.ts";

const createNotice = (subject: KeptSubject, fields: Partial<Notice> = {}): Notice => ({
  subject,
  channel: "team",
  destination: JSON.stringify(fields),
  secrets: { KEY: "hunter2secret" },
  createdAt: 1000.25,
  dueAt: 1000.25,
  ...fields,
});

const ofJob = (id: string, event: JobNews["event"] = "failed"): KeptSubject => ({
  kind: "job",
  event,
  jobId: toId(id),
});

const ofBatch = (batchId: string, lastJobId: string): KeptSubject => ({
  ...{ kind: "batch", event: "batch_done", batchId, lastJobId: toId(lastJobId) },
  removedJob: createQueued(lastJobId, { command: "train --key hunter3secret", batchId }),
});

const ofMachine = (event: MachineNews["event"] = "unhealthy"): KeptSubject => ({
  ...{ kind: "machine", event, nodeName: "atlas" },
  figures: "Score: 12 of 100, which is a secret",
});

const enqueue = async (store: Store, ...notices: readonly Notice[]): Promise<number> => {
  must(await store.write(({ outbox }) => outbox.enqueue(notices)));
  return store.outbox.measure().reduce((sum, { waiting }) => sum + waiting, 0);
};

describe("a notice is taken once", () => {
  test.each([
    ["of the same job", ofJob("a"), ofJob("a")],
    ["of the same batch, whichever job was its last", ofBatch("b", "a"), ofBatch("b", "c")],
    ["of the same second of the machine", ofMachine(), ofMachine()],
  ])("%s, event and channel", async (_name, first, second) => {
    const store = openTemporary();
    expect(await enqueue(store, createNotice(first), createNotice(second, { createdAt: 1000.75 }))).toBe(1);
    expect(await enqueue(store, createNotice(second))).toBe(1);
    expect(await enqueue(store, createNotice(second, { channel: "other" }))).toBe(2);
  });

  test("where another job, batch, moment or event is another notice", async () => {
    const store = openTemporary();
    const subjects = [ofJob("a"), ofJob("b"), ofJob("a", "started"), ofBatch("a", "a"), ofBatch("b", "a")];
    const machine = [createNotice(ofMachine()), createNotice(ofMachine("recovered"))];
    const later = createNotice(ofMachine(), { createdAt: 1001 });
    expect(await enqueue(store, ...subjects.map((subject) => createNotice(subject)), ...machine, later)).toBe(8);
  });
});

test("a notice of a batch waits for those of its last job, one of the machine for none", async () => {
  const store = openTemporary();
  await enqueue(
    store,
    ...[ofJob("a"), ofBatch("b", "a"), ofMachine(), ofMachine("recovered")].map((each) => createNotice(each)),
  );
  const told = () => store.outbox.listOfJob(toId("a")).map(({ subject, state }) => `${subject.kind} ${state}`);
  expect(told()).toEqual(["job pending", "batch blocked"]);
  must(await store.write(({ outbox }) => outbox.settle(1, { kind: "delivered", at: 1001, reference: null })));
  expect(told()).toEqual(["job delivered", "batch pending"]);
  for (const id of [2, 3])
    must(await store.write(({ outbox }) => outbox.settle(id, { kind: "dead", at: 1001, error: "404" })));
  expect(store.outbox.listHeads()).toMatchObject([{ id: 4, subject: { kind: "machine", event: "recovered" } }]);
});

test("what a notice must remember is sealed, and gone once it is out or given up", async () => {
  const folder = makeFolder();
  const store = openIn(folder);
  const subjects = [ofBatch("b", "a"), ofMachine()];
  await enqueue(store, ...subjects.map((subject) => createNotice(subject, { destination: subject.kind })));
  const messages = store.outbox.listHeads();
  expect(messages.map((message) => store.outbox.openSubject(message))).toEqual(subjects);
  expect(JSON.stringify(messages)).not.toMatch(/secret/);
  for (const name of ["jobs.db", "jobs.db-wal"])
    expect(readFileSync(join(folder, name), "latin1")).not.toMatch(/hunter|Score/);
  must(await store.write(({ outbox }) => outbox.settle(1, { kind: "delivered", at: 1001, reference: null })));
  must(await store.write(({ outbox }) => outbox.expire({ now: 2000, createdBefore: 1500, finishedBefore: 0 })));
  expect(messages.map((message) => store.outbox.openSubject(message))).toEqual([
    { ...messages[0]?.subject, removedJob: null } as KeptSubject,
    null,
  ]);
  expect(messages.map(({ id }) => store.outbox.openSecrets(id))).toEqual([{}, {}]);
});

test("any subject is read back as it was written", async () => {
  const store = openTemporary();
  const text = fc
    .string({ unit: "binary", minLength: 1 })
    .filter((each) => each.isWellFormed() && !each.includes("\0"));
  const id = fc.stringMatching(/^[a-z0-9-]{1,64}$/).map(toId);
  const removed = fc.record({ command: text, user: text }).map((fields) => createQueued("x", fields));
  const subject: fc.Arbitrary<KeptSubject> = fc.oneof(
    fc.record({
      kind: fc.constant("job" as const),
      event: fc.constantFrom("started", "failed", "log_uploaded"),
      jobId: id,
    }),
    fc.record({
      ...{
        kind: fc.constant("batch" as const),
        event: fc.constant("batch_done" as const),
        batchId: text,
        lastJobId: id,
      },
      removedJob: fc.option(removed),
    }),
    fc.record({
      ...{ kind: fc.constant("machine" as const), event: fc.constantFrom("unhealthy", "recovered") },
      ...{ nodeName: text, figures: text },
    }),
  );
  let count = 0;
  await fc.assert(
    fc.asyncProperty(subject, async (written) => {
      const notice = createNotice(written, { channel: `c${++count}`, destination: `${count}`, dueAt: -count });
      await enqueue(store, notice);
      const [head] = store.outbox.listHeads();
      expect(head?.channel).toBe(notice.channel);
      expect(head && store.outbox.openSubject(head)).toEqual(written);
    }),
    { numRuns: 50 },
  );
});

test("what of a channel waits is counted, with the time of the oldest and why that one last did not go out", async () => {
  const store = openTemporary();
  await enqueue(store, ...["b", "a", "c"].map((id) => createNotice(ofJob(id), { createdAt: id === "a" ? 900 : 1000 })));
  await enqueue(store, createNotice(ofJob("a"), { channel: "other" }));
  const fail = (error: string) => ({ kind: "retry", dueAt: 2000, error, isUncertain: false }) as const;
  for (const [index, { id, channel, createdAt }] of store.outbox.listHeads().entries())
    if (channel === "team") must(await store.write(({ outbox }) => outbox.settle(id, fail(`${createdAt} ${index}`))));
  expect(store.outbox.measure()).toEqual([
    { channel: "other", waiting: 1, since: 1000.25, error: null },
    { channel: "team", waiting: 3, since: 900, error: expect.stringMatching(/^900 /) },
  ]);
});
