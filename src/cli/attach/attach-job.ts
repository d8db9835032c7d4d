import { err, ok, type Result } from "../../base/result.ts";
import type { Failure, Outcome } from "../../command-line/command.ts";
import { addHint, fail, UNREACHABLE } from "../../command-line/usage.ts";
import { CLOSE_CODES } from "../../wire/attach.ts";
import type { WireJob } from "../../wire/job.ts";
import { RECORDER_LINES } from "../../wire/logs/recorder-filter.ts";
import { type Api, createApi } from "../connection/api-client.ts";
import { openWay, type Way } from "../connection/way.ts";
import { awaitJob, isEnded, isHopeless, pauseBeforeRetry } from "../jobs/await-job.ts";
import { followJob } from "../jobs/follow-job.ts";
import { chooseExitCode, describeEnding, describeNext } from "../jobs/job-ending.ts";
import { filterLog } from "../jobs/log-filter.ts";
import { sayKept } from "../jobs/say-kept.ts";
import { standBack } from "../targets/target.ts";
import { hint } from "../terminal/output.ts";
import { type AttachSocket, openAttachSocket, type SocketEnd } from "./attach-socket.ts";
import { createDetachKeys } from "./detach-keys.ts";
import { BELOW_EVERYTHING, type RawTerminal, readSize, takeTerminal, USUAL_MODES } from "./raw-terminal.ts";
import { createClearing, holdFarewell, holdOutput, moveToFreshLine, paintEnd } from "./shown-output.ts";

type Session = {
  readonly api: Api;
  readonly id: string;
  readonly isWatching: boolean;
  readonly left: PromiseWithResolvers<"left">;
  readonly clearing: (bytes: Uint8Array) => Uint8Array;
  socket: AttachSocket | null;
  hasShown: boolean;
};

type Final = Result<"detached" | "ended", Failure>;
type Break = Readonly<{ wasOpen: boolean; failure: Failure }>;

const NEVER_OPEN: SocketEnd = { wasOpen: false, code: 0, reason: "" };
const READING_MS = 600;

const sayHowToLeave = (session: Session): void =>
  hint(
    session.isWatching
      ? `Watching job ${session.id}: nothing that you type reaches it. Leave with Ctrl-C or Ctrl-A D.`
      : `Detach with Ctrl-A D (Ctrl-C goes to the job); come back with: nx attach ${session.id}`,
  );

const describePath = ({ id, isWatching }: Session, terminal: RawTerminal): string => {
  const { columns, rows } = terminal.readSize();
  const kind = encodeURIComponent(process.env["TERM"] ?? "");
  return `/v1/jobs/${id}/attach?columns=${columns}&rows=${rows}&term=${kind}${isWatching ? "&read_only=true" : ""}`;
};

const takeKeys = (session: Session): ((keys: Uint8Array) => void) => {
  const isLeaving = createDetachKeys();
  return (keys) => {
    const leaves = isLeaving(keys);
    if (!session.isWatching && session.socket?.isOpen() === true) return session.socket.send(keys);
    if (leaves) session.left.resolve("left");
  };
};

const findWay = async ({ api }: Session): Promise<Way | null> => {
  const way = await openWay(api.target).catch(() => null);
  return way?.ok === true ? way.value : null;
};

const show = async (session: Session, terminal: RawTerminal, path: string): Promise<SocketEnd | "left"> => {
  const way = await findWay(session);
  if (way === null) return NEVER_OPEN;
  const farewell = holdFarewell((bytes) => {
    session.hasShown = true;
    terminal.write(session.clearing(bytes));
  });
  const output = holdOutput(session.hasShown ? 0 : READING_MS, farewell.push);
  const socket = openAttachSocket(session.api.target, { way, path }, output.push);
  session.socket = socket;
  const end = await Promise.race([socket.ended, session.left.promise]);
  output.drop();
  farewell.drop();
  socket.close();
  return end;
};

const readFinal = (end: SocketEnd | "left"): Final | null => {
  if (end === "left" || end.code === CLOSE_CODES.detached) return ok("detached");
  if (end.code === CLOSE_CODES.ended) return ok("ended");
  return end.code === CLOSE_CODES.failed || end.code === CLOSE_CODES.mistaken ? fail(end.reason) : null;
};

const NOT_OPENED: Failure = { exitCode: UNREACHABLE, message: "the server did not open the job's terminal" };
const PASSING: ReadonlySet<string | null> = new Set(["INVALID_REQUEST", "UNAVAILABLE"]);

const explainRefusal = async ({ api }: Session, path: string): Promise<Failure> => {
  const answer = await api.get<null>(path);
  return answer.ok || PASSING.has(answer.error.code) ? NOT_OPENED : answer.error;
};

const examine = async (session: Session, path: string, wasOpen: boolean): Promise<"ended" | Failure> => {
  const job = await session.api.get<WireJob>(`/v1/jobs/${session.id}`);
  if (!job.ok) return job.error;
  if (isEnded(job.value)) return "ended";
  return wasOpen ? NOT_OPENED : explainRefusal(session, path);
};

const visit = async (session: Session, terminal: RawTerminal): Promise<Final | Break> => {
  const path = describePath(session, terminal);
  const end = await show(session, terminal, path);
  const final = readFinal(end);
  if (final !== null || end === "left") return final ?? ok("detached");
  const finding = await examine(session, path, end.wasOpen);
  return finding === "ended" ? ok("ended") : { wasOpen: end.wasOpen, failure: finding };
};

const noteBreak = ({ hasShown }: Session, terminal: RawTerminal): void => {
  const note = "The connection broke; connecting again (Ctrl-C to leave) …\r\n";
  terminal.write(`${hasShown ? BELOW_EVERYTHING : ""}${note}`);
};

const stayAttached = async (session: Session, terminal: RawTerminal): Promise<Final> => {
  for (let misses = 0; ; ) {
    const visited = await visit(session, terminal);
    if ("ok" in visited) return visited;
    if (misses === 0 || visited.wasOpen) noteBreak(session, terminal);
    misses = visited.wasOpen ? 1 : misses + 1;
    if (isHopeless(visited.failure, misses)) return err(visited.failure);
    await Promise.race([pauseBeforeRetry(), session.left.promise]);
  }
};

const describeModes = ({ hasShown }: Session, leaving: Final, columns: number): string => {
  if (!hasShown) return "";
  if (!leaving.ok) return BELOW_EVERYTHING;
  return leaving.value === "ended" ? USUAL_MODES : USUAL_MODES + moveToFreshLine(columns);
};

const withTerminal = async (session: Session): Promise<Final> => {
  const terminal = takeTerminal({
    onKeys: takeKeys(session),
    onResize: () => session.socket?.send(JSON.stringify(terminal.readSize())),
  });
  try {
    const leaving = await stayAttached(session, terminal);
    terminal.write(describeModes(session, leaving, terminal.readSize().columns));
    return leaving;
  } finally {
    terminal.restore();
  }
};

const showTail = async ({ api, id }: Session): Promise<void> => {
  const { rows, columns } = readSize();
  const logs = await api.get<{ data: string }>(`/v1/jobs/${id}/logs?last_n_lines=${rows + RECORDER_LINES}`);
  if (logs.ok) process.stdout.write(`${paintEnd(filterLog(logs.value.data, true), { rows, columns })}${USUAL_MODES}`);
};

const followNext = ({ api, id }: Session, job: WireJob): Promise<Outcome> => {
  hint(describeNext(job) ?? `Job ${id} is queued again`);
  return followJob(api, id, { lastLines: null, attempt: (job.attempts?.length ?? 0) + 1 });
};

const showEnd = async (session: Session): Promise<Outcome> => {
  if (!session.hasShown) return followJob(session.api, session.id);
  const job = await awaitJob(session.api, session.id, (one) => isEnded(one) || one.status === "queued");
  if (!job.ok) return job;
  if (!isEnded(job.value)) return followNext(session, job.value);
  await showTail(session);
  hint(`${describeEnding(job.value)} (all of its output: nx logs ${session.id})`);
  await sayKept(session.api, job.value);
  return ok(chooseExitCode(job.value));
};

const advise = (id: string, failure: Failure): Outcome => err(addHint(failure, `come back with: nx attach ${id}`));

/** Shows a running job's terminal in the user's, until the job ends or the user detaches. A broken connection is mended. */
export const attachToJob = async (api: Api, id: string, isWatching: boolean): Promise<Outcome> => {
  const left = Promise.withResolvers<"left">();
  const session: Session = {
    api: createApi(standBack(api.target)),
    id,
    isWatching,
    left,
    socket: null,
    hasShown: false,
    clearing: createClearing(() => readSize().rows),
  };
  sayHowToLeave(session);
  const leaving = await withTerminal(session);
  if (!leaving.ok) return advise(id, leaving.error);
  if (leaving.value === "ended") return showEnd(session);
  hint(`Detached; job ${id} goes on. Come back with: nx attach ${id}`);
  return ok(0);
};
