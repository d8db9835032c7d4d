import { Database } from "bun:sqlite";

/** `read` shows what the database holds at this moment, for as long as the work takes, whatever is written meanwhile. */
export type SteadyReads = Readonly<{
  read: <Value>(work: (db: Database) => Promise<Value>) => Promise<Value>;
  close: () => void;
}>;

type Lane = Readonly<SteadyReads>;

const LANES = 4;

const createLane = (filename: string): Lane => {
  let db: Database | null = null;
  let last: Promise<unknown> = Promise.resolve();
  const readNow = async <Value>(work: (db: Database) => Promise<Value>): Promise<Value> => {
    db ??= new Database(filename, { readonly: true, strict: true });
    db.exec("begin");
    try {
      return await work(db);
    } finally {
      db.exec("rollback");
    }
  };
  return {
    read: (work) => {
      const turn = last.then(() => readNow(work));
      last = turn.catch(() => undefined);
      return turn;
    },
    close: () => db?.close(),
  };
};

/**
 * Connections of their own, opened when first needed and kept: SQLite would keep the descriptors of closed ones as long
 * as the file is in use. What comes while all are at work waits for its turn.
 */
export const createSnapshots = (filename: string): SteadyReads => {
  const lanes = Array.from({ length: LANES }, () => createLane(filename));
  let next = 0;
  const takeLane = (): Lane | undefined => {
    next = (next + 1) % LANES;
    return lanes[next];
  };
  return {
    read: (work) => takeLane()?.read(work) ?? Promise.reject(new Error("No connection is left")),
    close: () => {
      for (const lane of lanes) lane.close();
    },
  };
};
