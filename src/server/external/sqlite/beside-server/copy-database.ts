import { constants, Database } from "bun:sqlite";
import { pathToFileURL } from "node:url";

type Item = Readonly<{ type: string; name: string; sql: string }>;

const { SQLITE_OPEN_READWRITE, SQLITE_OPEN_CREATE, SQLITE_OPEN_URI } = constants;

const NEEDED = ["artifact_id", "details ->> '$.inputId'"]
  .map((id) => `select ${id} from source.jobs where ${id} is not null and status in ('queued', 'starting', 'running')`)
  .join(" union ");

const WHERE: Readonly<Record<string, string>> = {
  artifacts: `where id in (${NEEDED})`,
  artifact_chunks: `where artifact_id in (${NEEDED})`,
};

const ITEMS = `select type, name, sql from source.sqlite_schema where sql is not null and name not like 'sqlite\\_%' escape '\\'
  order by type <> 'table', type <> 'index'`;

const readNumber = (db: Database, pragma: string): number =>
  Number(Object.values(db.query<Record<string, number>, []>(`pragma source.${pragma}`).get() ?? {})[0] ?? 0);

const copyItem = (db: Database, { type, name, sql }: Item): void => {
  db.exec(sql);
  const quoted = `"${name.replaceAll('"', '""')}"`;
  if (type === "table") db.exec(`insert into main.${quoted} select * from source.${quoted} ${WHERE[name] ?? ""}`);
};

/**
 * All of the database at `source` as it is at one moment, but for artifacts that neither a waiting nor a running job needs.
 * The file at `target` is empty; nothing is written to `source`, whether or not a server has it open.
 */
export const copyDatabase = (source: string, target: string): void => {
  const db = new Database(target, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_URI);
  try {
    db.exec("pragma busy_timeout = 10000; pragma journal_mode = off; pragma synchronous = off");
    db.query("attach ? as source").run(`${pathToFileURL(source)}?mode=ro`);
    db.exec(`pragma main.page_size = ${readNumber(db, "page_size")}`);
    db.exec(`pragma main.auto_vacuum = ${readNumber(db, "auto_vacuum")}`);
    db.transaction(() => {
      for (const item of db.query<Item, []>(ITEMS).all()) copyItem(db, item);
      db.exec(`pragma main.user_version = ${readNumber(db, "user_version")}`);
    })();
  } finally {
    db.close();
  }
};

const SIZE = `select (page_count - freelist_count) * page_size - (select ifnull(sum(stored), 0) from artifacts
  where unused_since is not null) as bytes from pragma_page_count, pragma_freelist_count, pragma_page_size`;

/** How many bytes a copy will take, about. */
export const estimateCopy = (source: string): number => {
  const db = new Database(source, { readonly: true });
  try {
    return db.query<{ bytes: number }, []>(SIZE).get()?.bytes ?? 0;
  } finally {
    db.close();
  }
};
