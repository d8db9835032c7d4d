import type { Database } from "bun:sqlite";
import { err, ok, type Result } from "../../../shared/result.ts";
import type { Unavailable } from "../../core/ports.ts";

type Pending = Readonly<{
  run: () => Settle;
  refuse: (error: Unavailable) => void;
}>;
type Settle = () => void;

export type GroupCommit = Readonly<{
  write: <Value>(change: () => Value) => Promise<Result<Value, Unavailable>>;
  close: () => void;
}>;

const describe = (error: unknown): string => (error instanceof Error ? error.message : String(error));

const isDiskFault = (error: unknown): boolean =>
  error instanceof Error &&
  "code" in error &&
  /^SQLITE_(FULL|IOERR|READONLY|CORRUPT|NOTADB|CANTOPEN)/.test(String(error.code));

const runInside = <Value>(db: Database, change: () => Value): Value => {
  db.exec("savepoint change");
  try {
    const value = change();
    db.exec("release change");
    return value;
  } catch (error) {
    if (db.inTransaction) db.exec("rollback to change; release change");
    throw error;
  }
};

const commitAll = (db: Database, group: readonly Pending[]): void => {
  try {
    db.exec("begin immediate");
    const settles = group.map(({ run }) => run());
    db.exec("commit");
    for (const settle of settles) settle();
  } catch (error) {
    if (db.inTransaction) db.exec("rollback");
    const message = `Nothing was written, the database can't be: ${describe(error)}`;
    for (const { refuse } of group) refuse({ kind: "unavailable", message });
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
      if (isDiskFault(error)) throw error;
      return () => reject(error);
    }
  };
  return { pending: { run, refuse: (error) => resolve(err(error)) }, promise };
};

/** All changes asked for in one turn of the event loop share one transaction and so one fsync. */
export const createGroupCommit = (db: Database): GroupCommit => {
  let group: Pending[] = [];
  let isClosed = false;

  const flush = (): void => {
    const due = group;
    group = [];
    if (due.length > 0) commitAll(db, due);
  };

  const write: GroupCommit["write"] = (change) => {
    if (isClosed) return Promise.resolve(err({ kind: "unavailable", message: "The server is stopping" }));
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
