import { Database } from "bun:sqlite";
import { expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { statSync } from "node:fs";
import { join } from "node:path";
import {
  addJobs,
  createEnded,
  createQueued,
  createRunning,
  createStarting,
  makeFolder,
  must,
  openIn,
  upload,
} from "../../../../../tests/support/store.ts";
import { estimateCopy } from "./copy-database.ts";
import { restoreDatabase } from "./restore-database.ts";
import { writeBackup } from "./write-backup.ts";

const MIB = 1024 * 1024;

const listSchema = (path: string): readonly unknown[] => {
  const db = new Database(path, { readonly: true });
  const schema = db.query("select type, name, sql from sqlite_schema where name <> 'backup' order by type, name").all();
  const pragmas = ["user_version", "page_size", "auto_vacuum"].map((name) => db.query(`pragma ${name}`).get());
  db.close();
  return [...schema, ...pragmas];
};

test("a backup holds code and input of waiting and running jobs, small, and what is restored knows which is gone", async () => {
  const serverDir = makeFolder();
  const store = openIn(serverDir);
  const sent = await Promise.all([1, 2, 3, 4, 5, 6].map(() => upload(store, randomBytes(MIB))));
  const [queued, starting, running, ended, both, input] = sent as [never, never, never, never, never, never];
  await addJobs(store, [
    createQueued("queued", { artifactId: queued }),
    createStarting("starting", { artifactId: starting }),
    createRunning("running", { artifactId: running, inputId: input }),
    createEnded("ended", { artifactId: ended, inputId: ended }),
    createEnded("both", { artifactId: both }),
    createQueued("again", { artifactId: both }),
  ]);
  const [source, path] = [join(serverDir, "jobs.db"), join(serverDir, "backup.db")];
  must(writeBackup({ serverDir, path, madeAt: 1000 }));
  expect(listSchema(path)).toEqual(listSchema(source));
  expect(statSync(path).size).toBeWithin(5 * MIB, 5.5 * MIB);
  expect(Math.abs(estimateCopy(source) - statSync(path).size)).toBeLessThan(MIB / 4);
  const restoredDir = makeFolder();
  must(restoreDatabase({ serverDir: restoredDir, file: path, stamp: "now", readLaunches: () => [] }));
  const restored = openIn(restoredDir);
  const opened = await Promise.all(sent.map((id) => restored.artifacts.open(id)));
  expect(opened.map((one) => one?.bytes ?? null)).toEqual([MIB, MIB, MIB, null, MIB, MIB]);
  for (const id of sent.toSpliced(3, 1))
    expect(Buffer.concat([...restored.artifacts.read(id)])).toEqual(Buffer.concat([...store.artifacts.read(id)]));
  expect(restored.countJobs()).toEqual(store.countJobs());
});
