import { Database } from "bun:sqlite";
import { describe, expect, test } from "bun:test";
import { copyFileSync, existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { FIXTURES } from "../../../../tests/support/programs.ts";
import { makeFolder, must, openIn, toId } from "../../../../tests/support/store.ts";
import type { AccessToken } from "../../core/access/access-token.ts";
import type { ArtifactId, Job, JobId } from "../../core/jobs/job.ts";
import { completeStored } from "../../core/jobs/stored-job.ts";
import type { Batch, JobNews } from "../../core/notices/news.ts";
import { findJobId, type KeptSubject, type OutboxMessage } from "../../core/notices/outbox.ts";
import type { GpuFault } from "../../core/queue/gpu-fault.ts";
import { nameNeed } from "../../core/queue/needs/need-name.ts";
import type { Reservation } from "../../core/queue/reservations/reservation.ts";
import type { Environment, Store } from "../../core/store.ts";
import { restoreDatabase } from "./beside-server/restore-database.ts";
import { readVersion, SCHEMA_VERSION } from "./migrate.ts";
import { openDatabase } from "./open-database.ts";

type OldMessage = Omit<OutboxMessage, "subject"> & Readonly<{ jobId: JobId; event: JobNews["event"] }>;

type Content = Readonly<{
  jobs: readonly Job[];
  environments: Readonly<Record<string, Environment>>;
  blacklist: readonly number[];
  gpuFaults?: readonly GpuFault[];
  reservations?: readonly Reservation[];
  tokenDigest: string;
  token?: AccessToken & Readonly<{ digest: string }>;
  outbox?: readonly (OutboxMessage | OldMessage)[];
  untold?: readonly KeptSubject[];
  batch?: Batch;
  artifact: Readonly<{ id: ArtifactId; gitSha: string; bytes: number }>;
}>;

const FOLDER = join(FIXTURES, "databases");
const VERSIONS = Array.from({ length: SCHEMA_VERSION }, (_, index) => index + 1);

const readContent = (version: number): Content =>
  JSON.parse(readFileSync(join(FOLDER, `v${version}.json`), "utf8")) as Content;

const load = (version: number): string => {
  const serverDir = makeFolder();
  const file = join(FOLDER, `v${version}.db`);
  must(restoreDatabase({ serverDir, file, stamp: "now", readLaunches: () => [] }));
  return serverDir;
};

const toMessage = (message: OutboxMessage | OldMessage): OutboxMessage => {
  if ("subject" in message) return message;
  const { jobId, event, ...rest } = message;
  return { ...rest, subject: { kind: "job", event, jobId } };
};

const expectJobs = async (store: Store, { jobs, environments }: Content): Promise<void> => {
  for (const job of jobs) {
    expect(store.findJob(job.id)).toMatchObject(job);
    expect(store.loadEnvironment(job.id)).toEqual(environments[job.id] ?? {});
  }
  expect(store.countJobs()).toEqual({
    queued: 2,
    starting: 1,
    running: 1,
    completed: 1,
    failed: 1,
    killed: 1,
  });
  const pages = await Array.fromAsync(store.listJobs({ limit: 100, offset: 0 }));
  const listed = pages.flat().map((job) => String(job.id));
  expect(listed.toSorted()).toEqual(jobs.map((job) => String(job.id)).toSorted());
};

const completeSubject = (subject: KeptSubject): KeptSubject =>
  subject.kind === "batch" && subject.removedJob !== null
    ? { ...subject, removedJob: completeStored(subject.removedJob) as Job }
    : subject;
const expectQueue = async (store: Store): Promise<void> => {
  const needs: string[] = [];
  const deciding = store.loadDecidingJobs((need) => needs.push(nameNeed(need)), 0);
  expect(deciding.map(({ id }) => String(id)).toSorted()).toEqual(["cpu", "queued"]);
  expect(needs.toSorted()).toEqual(deciding.map(nameNeed).toSorted());
  expect(must(await store.write(({ countQueued }) => [countQueued("ada"), countQueued("bob")]))).toEqual([2, 0]);
};

const expectOutbox = (store: Store, { batch, outbox = [], untold = [] }: Content): void => {
  if (batch) expect(store.outbox.findBatch(batch.id)).toMatchObject(batch);
  for (const message of outbox.map(toMessage)) {
    expect(store.outbox.listOfJob(toId(findJobId(message.subject) ?? ""))).toContainEqual(message);
    const sealed = message.finishedAt === null ? { DISCORD_WEBHOOK_URL: "https://example.com/hook" } : {};
    expect(store.outbox.openSecrets(message.id)).toEqual(sealed);
  }
  const kept = store.outbox.listHeads().map((message) => store.outbox.openSubject(message));
  expect(kept).toEqual(expect.arrayContaining(untold.map(completeSubject)));
};

const listSchema = (db: Database): readonly unknown[] =>
  db.query("select type, name, tbl_name, sql from sqlite_schema order by type, name").all();

test("queued jobs of an earlier schema are found by their time limits, too", () => {
  const serverDir = makeFolder();
  copyFileSync(join(FOLDER, "v16.db"), join(serverDir, "jobs.db"));
  const db = new Database(join(serverDir, "jobs.db"));
  db.run("update jobs set details = json_set(details, '$.timeLimitS', 7200) where status = 'queued'");
  db.close();
  const migrated = must(openDatabase(join(serverDir, "jobs.db")));
  const needs = migrated
    .query<{ need: string }, []>("select need from jobs where status = 'queued' order by need")
    .all();
  migrated.close();
  const queued = readContent(16).jobs.flatMap((job) => (job.status === "queued" ? [{ ...job, timeLimitS: 7200 }] : []));
  expect(needs.map(({ need }) => need)).toEqual(queued.map(nameNeed).toSorted());
});

test.each(VERSIONS)("schema version %d has a database that was written by its own code", (version) => {
  expect(existsSync(join(FOLDER, `v${version}.db`)) ? "there" : "run npm run fixture:database").toBe("there");
});

describe.each(VERSIONS)("a database of schema version %d", (version) => {
  test("is loaded with all that is in it", async () => {
    const store = openIn(load(version));
    const content = readContent(version);
    await expectJobs(store, content);
    await expectQueue(store);
    expect([...store.listBlacklist()].toSorted()).toEqual([...content.blacklist]);
    expect(store.listGpuFaults()).toEqual(content.gpuFaults ?? []);
    expect(store.listReservations()).toEqual(content.reservations ?? []);
    expect(store.readTokenDigest()).toBe(content.tokenDigest);
    if (content.token) {
      const { digest, ...token } = content.token;
      expect(store.findToken(digest)).toEqual(token);
    }
    expectOutbox(store, content);
    const chunks = [...store.artifacts.read(content.artifact.id)];
    const bytes = Buffer.concat(chunks);
    expect(bytes.length).toBe(content.artifact.bytes);
    expect(bytes.every((byte, index) => byte === index % 7)).toBe(true);
    expect(await store.artifacts.findBySha(content.artifact.gitSha)).toBe(content.artifact.id);
  });

  test("has the tables and indexes of a new one afterwards", () => {
    const db = must(openDatabase(join(load(version), "jobs.db")));
    const fresh = must(openDatabase(join(makeFolder(), "jobs.db")));
    expect(readVersion(db)).toBe(SCHEMA_VERSION);
    expect(listSchema(db)).toEqual(listSchema(fresh));
    db.close();
    fresh.close();
  });
});
