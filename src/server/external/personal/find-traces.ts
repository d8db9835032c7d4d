import { lstatSync, readdirSync, readFileSync, readlinkSync, realpathSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { listHomes, locateCompletion, OWN_FOLDER, OWN_NAMES, SHELLS } from "../../../wire/places/own-files.ts";
import { opensFolder } from "../../core/access/ssh-key.ts";
import type { OwnLines, OwnNames, OwnTraces } from "../../core/machine/own-traces.ts";

/** `hasClient`: it is the folder of its own that a server has, and what `nx` keeps counts, too. `programs` is the folder, or the single file, that this runs from. */
export type TraceOptions = Readonly<{
  serverDir: string;
  pid: number | null;
  hasClient: boolean;
  home: string;
  env: Readonly<Record<string, string | undefined>>;
  programs: string;
}>;

const STATE =
  /^(?:jobs|backups|screen|sockets|jobs\.db(?:-wal|-shm|-journal|\.restoring|\.before-restore-.+)?|secret\.key|server\.(?:lock(?:-journal)?|pid|listening|log)|tokens\.log|tls\.(?:key|crt)|config\.toml|(?:nexus|own|root)\.sock|earlier\.part|trial-\w+|\.(?:room|path)-\d+)$/;
const MARKS = ["jobs.db", "server.lock"];
const OF_NX = "__complete";
const LINKS = ["nx", "nexus", "nexus-server"];

const attempt = <Value>(act: () => Value, otherwise: Value): Value => {
  try {
    return act();
  } catch {
    return otherwise;
  }
};

const isOwn = (path: string): boolean =>
  attempt(() => lstatSync(path).uid === process.getuid?.() && statSync(path).uid === process.getuid?.(), false);

const listNames = (folder: string): readonly string[] =>
  attempt(() => (isOwn(folder) ? readdirSync(folder).toSorted() : []), []);

const readBytes = (path: string): string => attempt(() => (isOwn(path) ? readFileSync(path, "latin1") : ""), "");

const findLines = (path: string, isMeant: (line: string) => boolean): readonly OwnLines[] => {
  const lines = readBytes(path).split("\n").filter(isMeant);
  return lines.length === 0 ? [] : [{ path, lines }];
};

const toBytes = (text: string): string => Buffer.from(text).toString("latin1");

const findScripts = (paths: readonly string[]): readonly OwnNames[] => {
  const found = paths.filter((path) => readBytes(path).includes(OF_NX));
  return found[0] === undefined ? [] : [{ folder: dirname(found[0]), names: found.map((path) => basename(path)) }];
};

const findClient = ({ env, home }: TraceOptions): Pick<OwnTraces, "settings" | "completion" | "lines" | "foreign"> => {
  const own = join(home, OWN_FOLDER);
  const places = SHELLS.map((shell) => locateCompletion(shell, listHomes(env, home)));
  const completion = places.flatMap(({ scripts }) => findScripts(scripts));
  const known = [...OWN_NAMES, ...completion.flatMap(({ names }) => names)];
  return {
    settings: { folder: own, names: listNames(own).filter((name) => OWN_NAMES.some((one) => one === name)) },
    completion,
    lines: places.flatMap(({ start }) =>
      start === null ? [] : findLines(start.path, (line) => line === toBytes(start.line)),
    ),
    foreign: listNames(own).flatMap((name) => (known.includes(name) ? [] : [join(own, name)])),
  };
};

const findKeys = ({ serverDir, home }: TraceOptions): readonly OwnLines[] =>
  findLines(join(home, ".ssh", "authorized_keys"), (line) => opensFolder(line, toBytes(serverDir)));

const findLinks = ({ home, programs }: TraceOptions): readonly string[] =>
  LINKS.map((name) => join(home, ".local", "bin", name)).filter((path) =>
    attempt(() => readlinkSync(path) !== "" && realpathSync(path).startsWith(realpathSync(programs)), false),
  );

const NO_CLIENT = { settings: { folder: "", names: [] }, completion: [], lines: [], foreign: [] };

/** Of what belongs to this user alone, whoever else's home it is. */
export const findTraces = (options: TraceOptions): OwnTraces => {
  const { serverDir, pid, programs } = options;
  const found = listNames(serverDir);
  const isServers = options.hasClient || MARKS.every((name) => found.includes(name));
  const client = options.hasClient ? findClient(options) : NO_CLIENT;
  return {
    ...client,
    pid,
    state: { folder: serverDir, names: found.filter((name) => isServers && STATE.test(name)) },
    lines: [...client.lines, ...findKeys(options)],
    foreign: [...found.filter((name) => !STATE.test(name)).map((name) => join(serverDir, name)), ...client.foreign],
    programs: [programs, ...findLinks(options)],
  };
};
