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

/** All changes asked for in one turn of the event loop share one transaction and so one fsync. */
export const createGroupCommit = (db: Database): GroupCommit => {
  let pending: Pending[] = [];
  let isClosed = false;

  const runInside = <Value>(change: () => Value): Value => {
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

  const commitAll = (group: readonly Pending[]): void => {
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

  const flush = (): void => {
    const group = pending;
    pending = [];
    if (group.length > 0) commitAll(group);
  };

  const write = <Value>(change: () => Value): Promise<Result<Value, Unavailable>> => {
    if (isClosed) return Promise.resolve(err({ kind: "unavailable", message: "The server is stopping" }));
    const { promise, resolve, reject } = Promise.withResolvers<Result<Value, Unavailable>>();
    const run = (): Settle => {
      try {
        const value = runInside(change);
        return () => resolve(ok(value));
      } catch (error) {
        if (isDiskFault(error)) throw error;
        return () => reject(error);
      }
    };
    pending.push({ run, refuse: (error) => resolve(err(error)) });
    if (pending.length === 1) setImmediate(flush);
    return promise;
  };

  const close = (): void => {
    isClosed = true;
    flush();
  };

  return { write, close };
};
