import { expect, onTestFinished, test } from "bun:test";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SERVER } from "../../../../../tests/support/programs.ts";
import { openStore } from "../open-store.ts";
import { createBackups, findLatestBackup } from "./backup-folder.ts";

const TIME = 1_700_000_000;

const makeServerDir = (): string => {
  const serverDir = mkdtempSync(join(tmpdir(), "nexus-backups-"));
  const opened = openStore({ serverDir, clock: () => TIME });
  if (!opened.ok) throw new Error(opened.error.message);
  onTestFinished(async () => {
    await opened.value.close();
    rmSync(serverDir, { recursive: true });
  });
  return serverDir;
};

test("a backup is made by another process while this one has the database, and named after its time", async () => {
  const serverDir = makeServerDir();
  const backups = createBackups({ serverDir, program: SERVER });
  const path = join(serverDir, "backups", "jobs-20231114T221320Z.db");
  expect(await backups.make(TIME)).toEqual({ ok: true, value: path });
  expect([statSync(path).mode & 0o777, statSync(join(serverDir, "backups")).mode & 0o777]).toEqual([0o600, 0o700]);
  expect(backups.listTimes()).toEqual([TIME]);
  expect(findLatestBackup(serverDir)).toBe(path);
  await backups.remove(TIME);
  expect(readdirSync(join(serverDir, "backups"))).toEqual([]);
  expect(findLatestBackup(serverDir)).toBeNull();
});

test("what a killed one left goes with the next, other files stay, and only backups count", async () => {
  const serverDir = makeServerDir();
  const folder = join(serverDir, "backups");
  mkdirSync(folder);
  for (const name of ["jobs-20231114T221320Z.db.77.part", "jobs-new.db.78.part", "mine.db"])
    writeFileSync(join(folder, name), "");
  utimesSync(join(folder, "jobs-20231114T221320Z.db.77.part"), TIME - 7200, TIME - 7200);
  utimesSync(join(folder, "jobs-new.db.78.part"), TIME - 60, TIME - 60);
  const backups = createBackups({ serverDir, program: SERVER });
  expect(backups.listTimes()).toEqual([]);
  await backups.make(TIME);
  expect(readdirSync(folder).toSorted()).toEqual(["jobs-20231114T221320Z.db", "jobs-new.db.78.part", "mine.db"]);
});

test("one that can't be made says why", async () => {
  const serverDir = makeServerDir();
  writeFileSync(join(serverDir, "backups"), "in the way");
  const inTheWay = await createBackups({ serverDir, program: SERVER }).make(TIME);
  expect(inTheWay.ok ? "" : inTheWay.error.message).toContain(join(serverDir, "backups"));
  rmSync(join(serverDir, "backups"));
  const broken = await createBackups({ serverDir, program: ["false"] }).make(TIME);
  expect(broken).toEqual({ ok: false, error: { message: "the program ended with 1" } });
  expect(existsSync(join(serverDir, "backups"))).toBe(true);
});
