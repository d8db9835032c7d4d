import { escapeText } from "../../base/escape-text.ts";
import type { WireOutputs } from "../../wire/files.ts";
import type { WireJob } from "../../wire/job.ts";
import type { ServerStatus } from "../../wire/node.ts";
import { describeAmount, describeGoing, describeKept } from "../../wire/outputs-text.ts";
import { formatClock } from "../terminal/clock.ts";

type Facts = Partial<WireJob>;

/** Null from a server that is too old to keep what a job makes. */
export const readOutputs = ({ outputs }: Facts): WireOutputs | null => outputs ?? null;

export const listNotes = ({ notes }: Facts): readonly string[] => (notes ?? []).map(escapeText);

const describeLeftOut = ({ left_out }: WireOutputs): string =>
  left_out.files === 0 ? "" : ` (left out: ${describeAmount(left_out)})`;

/** What there is to say of the files of a job at its end, a line each. */
export const describeFilesAtEnd = (job: WireJob): readonly string[] => {
  const outputs = readOutputs(job);
  if (outputs === null) return [];
  if (outputs.state === "failed") return [...listNotes(job), `What it wrote is where it was: nx pull ${job.id}`];
  const isKept = outputs.state === "kept" && outputs.files > 0;
  return isKept ? [describeKept(job.id, outputs) + describeLeftOut(outputs)] : [];
};

const describeState = (outputs: WireOutputs): string | null => {
  switch (outputs.state) {
    case "none":
      return null;
    case "moving":
      return "are being kept";
    case "failed":
      return "could not be kept";
    case "kept":
      return describeAmount(outputs) + describeLeftOut(outputs);
  }
};

/** In one line, for all about the job; null where there is nothing to say. */
export const describeFiles = (job: WireJob): string | null => {
  const outputs = readOutputs(job);
  const state = outputs === null ? null : describeState(outputs);
  if (outputs === null || state === null) return null;
  const until =
    outputs.kept_until === null || outputs.files === 0 ? "" : `, until ${formatClock(outputs.kept_until)} UTC`;
  return `${state}${until}${outputs.pulled ? ", fetched" : ""}`;
};

/** What a server says of the files of one's own jobs that go soon, a line each. */
export const describeExpiring = ({
  expiring_files: expiring,
}: Pick<ServerStatus, "expiring_files">): readonly string[] => {
  if (expiring === undefined) return [];
  const lines = expiring.jobs.map(({ id, outputs }) => describeGoing(id, outputs, outputs.kept_until ?? 0));
  const more = expiring.total_jobs - lines.length;
  const rest = `files of ${more} more ${more === 1 ? "job" : "jobs"} go soon, named here once these are fetched`;
  return (more > 0 ? [...lines, rest] : lines).map(escapeText);
};

export const hasFiles = (job: WireJob): boolean => {
  const outputs = readOutputs(job);
  return outputs !== null && (outputs.files > 0 || outputs.state === "failed");
};
