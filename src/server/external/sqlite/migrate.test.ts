import { Database } from "bun:sqlite";
import { expect, test } from "bun:test";
import { migrate, readVersion, refuseVersion } from "./migrate.ts";

const open = (): Database => new Database(":memory:", { strict: true });

const FIRST = "create table jobs (id text); insert into jobs values ('old')";
const SECOND = "alter table jobs add column user text not null default 'nobody'";

test("an older database is brought forward, with what is in it", () => {
  const db = open();
  migrate(db, undefined, [FIRST]);
  expect(readVersion(db)).toBe(1);
  migrate(db, undefined, [FIRST, SECOND]);
  expect(readVersion(db)).toBe(2);
  expect(db.query("select * from jobs").all()).toEqual([{ id: "old", user: "nobody" }]);
});

test("a step that fails leaves the version before it, and runs again", () => {
  const db = open();
  expect(() => migrate(db, undefined, [FIRST, "create table half (id); nonsense"])).toThrow("nonsense");
  expect(readVersion(db)).toBe(1);
  expect(db.query("select name from sqlite_schema").all()).toEqual([{ name: "jobs" }]);
  migrate(db, undefined, [FIRST, SECOND]);
  expect(readVersion(db)).toBe(2);
});

test("an up-to-date database is left alone", () => {
  const db = open();
  migrate(db);
  const version = readVersion(db);
  migrate(db);
  expect(readVersion(db)).toBe(version);
  expect(refuseVersion(db, "jobs.db")).toBeNull();
});
