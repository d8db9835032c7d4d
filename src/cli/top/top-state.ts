import type { WireGpu } from "../../shared/gpu.ts";
import type { WireJob } from "../../shared/job.ts";
import type { ServerStatus } from "../../shared/node.ts";

export type Snapshot = Readonly<{
  status: ServerStatus;
  gpus: readonly WireGpu[];
  running: readonly WireJob[];
  queued: readonly WireJob[];
}>;

/** `lines` are the last ones, harmless and without line ends. */
export type JobLog = Readonly<{ job: WireJob; lines: readonly string[] }>;

/** `back` counts the rows that lie below what a followed log shows; `text` is what was typed so far. */
export type Mode =
  | Readonly<{ kind: "list" | "help" }>
  | Readonly<{ kind: "log"; id: string; back: number }>
  | Readonly<{ kind: "confirm"; job: WireJob }>
  | Readonly<{ kind: "priority"; job: WireJob; text: string }>;

/** Times are Unix seconds; `answeredAt` is when the server last answered. `selected` is a job's id. */
export type TopState = Readonly<{
  target: string;
  columns: number;
  rows: number;
  now: number;
  answeredAt: number;
  snapshot: Snapshot;
  trouble: string | null;
  selected: string | null;
  log: JobLog | null;
  mode: Mode;
  notice: string | null;
}>;

export const listShown = ({ running, queued }: Snapshot): readonly WireJob[] => [...running, ...queued];

export const findSelected = ({ snapshot, selected }: TopState): WireJob | null =>
  listShown(snapshot).find(({ id }) => id === selected) ?? null;

/** The job whose log is shown, selected or followed. */
export const findLogged = ({ mode, selected }: TopState): string | null => (mode.kind === "log" ? mode.id : selected);

export const createTopState = (
  facts: Pick<TopState, "target" | "columns" | "rows" | "now" | "snapshot">,
): TopState => ({
  ...facts,
  answeredAt: facts.now,
  trouble: null,
  selected: listShown(facts.snapshot)[0]?.id ?? null,
  log: null,
  mode: { kind: "list" },
  notice: null,
});
