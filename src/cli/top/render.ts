import type { WireJob } from "../../wire/job.ts";
import { describeHalt } from "../jobs/halt-text.ts";
import { formatDuration } from "../terminal/duration.ts";
import { createGpuColumns, createQueuedColumns, createRunningColumns } from "./columns.ts";
import { countBodyRows, scrollTo, shareBody } from "./layout.ts";
import { EMPTY, fitLine, type Line, span } from "./line.ts";
import { wrapLines } from "./log-lines.ts";
import { type Column, renderHead, renderRow } from "./table.ts";
import { findLogged, type TopState } from "./top-state.ts";

const LEAST_COLUMNS = 24;
const LEAST_ROWS = 10;
const STALE_S = 4;
const HEADS = 4;
const CURVE_FROM = 64;

const describeTrouble = ({ trouble, now, answeredAt }: TopState): string | null => {
  if (trouble !== null) return trouble;
  const silent = now - answeredAt;
  return silent >= STALE_S ? `no answer for ${formatDuration(silent)}` : null;
};

const renderTop = (state: TopState): Line => {
  const { status } = state.view;
  const trouble = describeTrouble(state) ?? describeHalt(status) ?? status.gpu_error ?? status.gpu_hint ?? null;
  const where = ` (${state.target}${status.mock ? ", mock GPUs" : ""})  `;
  const ended = `${status.completed_jobs} ended  ${status.server_version}`;
  return [span(status.node_name, "bold"), span(where), trouble === null ? span(ended, "dim") : span(trouble, "red")];
};

const HINTS: Readonly<Record<"list" | "log" | "help", string>> = {
  list: "q quit  ? help  ↑↓ select  Enter log  x kill/remove  p priority",
  log: "q back  ↑↓ look back  End follow",
  help: "any key: back",
};

const renderBottom = ({ mode, notice }: TopState): Line => {
  switch (mode.kind) {
    case "confirm": {
      const question = mode.job.status === "queued" ? "Remove from the queue" : "Kill";
      return [span(`${question} ${mode.job.id} of ${mode.job.user}? [y/N] `, "bold")];
    }
    case "priority":
      return [span(`Priority of ${mode.job.id} (now ${mode.job.priority}): ${mode.text}█`, "bold")];
    case "list":
    case "log":
    case "help":
      return notice === null ? [span(HINTS[mode.kind], "dim")] : [span(notice, "bold")];
  }
};

const renderJobs = (
  jobs: readonly WireJob[],
  columns: readonly Column<WireJob>[],
  view: Readonly<{ state: TopState; rows: number }>,
): readonly Line[] => {
  const { selected, columns: width } = view.state;
  const place = jobs.findIndex(({ id }) => id === selected);
  const start = scrollTo(jobs.length, view.rows, place);
  const shown = jobs.slice(start, start + view.rows);
  const lines = shown.map((job) => renderRow(columns, job, width, job.id === selected));
  return [renderHead(columns, width), ...lines];
};

const describeCurve = ({ curve, columns }: TopState, id: string): string =>
  curve?.id === id && columns >= CURVE_FROM ? `GPU ${curve.text}  ` : "";

const describeLogged = (state: TopState): string => {
  const id = findLogged(state);
  if (id === null) return "no job is selected";
  const job = state.log?.job.id === id ? state.log.job : null;
  if (job === null) return id;
  const code = job.exit_code === null ? "" : ` ${job.exit_code}`;
  return `${id}  ${job.status}${code}  ${describeCurve(state, id)}${job.command.slice(0, state.columns)}`;
};

const renderLog = (state: TopState, rows: number): readonly Line[] => {
  const back = state.mode.kind === "log" ? state.mode.back : 0;
  const isShown = state.log?.job.id === findLogged(state);
  const wrapped = wrapLines(isShown ? (state.log?.lines.slice(-rows - back) ?? []) : [], state.columns);
  const end = Math.max(rows, wrapped.length - back);
  return wrapped.slice(Math.max(0, end - rows), end).map((text) => [span(text)]);
};

const renderList = (state: TopState): readonly Line[] => {
  const { view, columns, now } = state;
  const { gpus, running, queued } = view;
  const counts = { gpus: gpus.length, running: running.length, queued: queued.length };
  const [gpuRows = 0, runningRows = 0, queuedRows = 0, logRows = 0] = shareBody(countBodyRows(state) - HEADS, counts);
  const gpuColumns = createGpuColumns(view, gpus.length - gpuRows, now);
  return [
    renderHead(gpuColumns, columns),
    ...gpus.slice(0, gpuRows).map((gpu) => renderRow(gpuColumns, gpu, columns)),
    ...renderJobs(running, createRunningColumns(view, now), { state, rows: runningRows }),
    ...renderJobs(queued, createQueuedColumns(view, now), { state, rows: queuedRows }),
    [span(` LOG ${describeLogged(state)}`, "dim")],
    ...renderLog(state, logRows),
  ];
};

const renderBody = (state: TopState): readonly Line[] => {
  if (state.mode.kind === "help") return renderHelp();
  return state.mode.kind === "log" ? renderLog(state, countBodyRows(state)) : renderList(state);
};

const renderHeadLine = (state: TopState): Line =>
  state.mode.kind === "log" ? [span(describeLogged(state), "bold")] : renderTop(state);

/** As many lines as the terminal has rows, each within its columns. */
export const renderScreen = (state: TopState): readonly Line[] => {
  const { columns, rows } = state;
  if (columns < LEAST_COLUMNS || rows < LEAST_ROWS)
    return [fitLine([span("too small: q quits")], columns), ...Array(Math.max(0, rows - 1)).fill(EMPTY)];
  const size = countBodyRows(state);
  const body = renderBody(state).slice(0, size);
  const filled = [...body, ...Array<Line>(size - body.length).fill(EMPTY)];
  return [renderHeadLine(state), ...filled, renderBottom(state)].map((line) => fitLine(line, columns));
};

const KEYS: readonly (readonly [string, string])[] = [
  ["↑ ↓ or k j", "select a job; in a log, look back"],
  ["Page up, down", "a page at a time"],
  ["Home, End", "the first, the last; in a log, End follows it again"],
  ["Enter or l", "the log of the selected job, on the whole screen"],
  ["x", "kill a running job, take a queued one out; asks first"],
  ["p", "change the priority of a queued job"],
  ["Ctrl-L", "draw everything anew"],
  ["Ctrl-Z", "back to the shell for a while; fg comes back"],
  ["q", "back, and at last out; jobs go on"],
];

const KEY_WIDTH = 16;

const renderHelp = (): readonly Line[] => [
  [span("Keys", "bold")],
  ...KEYS.map(([key, help]): Line => [span(`  ${key.padEnd(KEY_WIDTH)}`, "bold"), span(help)]),
];
