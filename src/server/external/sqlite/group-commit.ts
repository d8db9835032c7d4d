import type { Database } from "bun:sqlite";
import { describeError } from "../../../base/describe-error.ts";
import { err, ok, type Result } from "../../../base/result.ts";
import type { Unavailable } from "../../core/refusal.ts";
import type { Meter } from "../../core/telemetry/meter.ts";
import type { OnStep } from "../../core/telemetry/steps.ts";
import { explainFault } from "./sqlite-error.ts";

type Settle = () => void;
type Pending = Readonly<{ run: () => Settle; refuse: (error: Unavailable) => void }>;

export type GroupCommit = Readonly<{
  write: <Value>(change: () => Value) => Promise<Result<Value, Unavailable>>;
  close: () => void;
}>;

export type CommitMeter = Pick<Meter, "observeCommit" | "countFailedCommit">;

type CommitListeners = Readonly<{ meter?: CommitMeter | undefined; onStep?: OnStep | undefined }>;

const UNMETERED: CommitMeter = { observeCommit: () => undefined, countFailedCommit: () => undefined };
const STOPPING: Unavailable = { kind: "unavailable", message: "The server is stopping: nothing was written" };

const toSeconds = (ms: number): number => ms / 1000;

const rollBack = (db: Database, sql: string): void => {
  try {
    if (db.inTransaction) db.exec(sql);
  } catch {
    return;
  }
};

const runInside = <Value>(db: Database, change: () => Value): Value => {
  db.query("savepoint change").run();
  try {
    const value = change();
    db.query("release change").run();
    return value;
  } catch (error) {
    rollBack(db, "rollback to change; release change");
    throw error;
  }
};

const refuseAll = (group: readonly Pending[], error: unknown): void => {
  const message = `Nothing was written to the database: ${explainFault(error) ?? describeError(error)}`;
  for (const { refuse } of group) refuse({ kind: "unavailable", message });
};

const commitAll = (db: Database, group: readonly Pending[], { meter = UNMETERED, onStep }: CommitListeners): void => {
  const startedAt = performance.now();
  try {
    db.query("begin immediate").run();
    const settles = group.map(({ run }) => run());
    onStep?.("change made");
    const changedAt = performance.now();
    db.query("commit").run();
    const endedAt = performance.now();
    onStep?.("change committed");
    meter.observeCommit({
      changes: group.length,
      totalS: toSeconds(endedAt - startedAt),
      syncS: toSeconds(endedAt - changedAt),
    });
    for (const settle of settles) settle();
  } catch (error) {
    rollBack(db, "rollback");
    meter.countFailedCommit();
    refuseAll(group, error);
  }
};

const createPending = <Value>(
  db: Database,
  change: () => Value,
): Readonly<{ pending: Pending; promise: Promise<Result<Value, Unavailable>> }> => {
  const { promise, resolve, reject } = Promise.withResolvers<Result<Value, Unavailable>>();
  const run = (): Settle => {
    try {
      const value = runInside(db, change);
      return () => resolve(ok(value));
    } catch (error) {
      if (explainFault(error) !== null || !db.inTransaction) throw error;
      return () => reject(error);
    }
  };
  return { pending: { run, refuse: (error) => resolve(err(error)) }, promise };
};

/** All changes asked for in one turn of the event loop share one transaction and so one fsync. */
export const createGroupCommit = (db: Database, listeners: CommitListeners = {}): GroupCommit => {
  let group: Pending[] = [];
  let isClosed = false;

  const flush = (): void => {
    const due = group;
    group = [];
    if (due.length > 0) commitAll(db, due, listeners);
  };

  const write: GroupCommit["write"] = (change) => {
    if (isClosed) return Promise.resolve(err(STOPPING));
    const { pending, promise } = createPending(db, change);
    group.push(pending);
    if (group.length === 1) setImmediate(flush);
    return promise;
  };

  const close = (): void => {
    isClosed = true;
    flush();
  };

  return { write, close };
};
