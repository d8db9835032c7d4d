import { escapeText } from "../../base/escape-text.ts";
import type { WireOutputs } from "../../wire/files.ts";
import type { WireJob } from "../../wire/job.ts";
import type { ServerStatus } from "../../wire/node.ts";
import { describeAmount, describeGoing, describeKept, describeLeftOut } from "../../wire/outputs-text.ts";
import { formatClock } from "../terminal/clock.ts";

type Facts = Partial<WireJob>;

/** Null from a server that is too old to keep what a job makes. */
export const readOutputs = ({ outputs }: Facts): WireOutputs | null => outputs ?? null;

export const listNotes = ({ notes }: Facts): readonly string[] => (notes ?? []).map(escapeText);

const describeEnd = (id: string, outputs: WireOutputs): string | null => {
  switch (outputs.state) {
    case "failed":
      return `What it wrote is where it was: nx pull ${id}`;
    case "moving":
      return null;
    case "none":
    case "kept":
      return describeKept(id, outputs, outputs.left_out);
  }
};

/** What there is to say at the end of a job's log, a line each. */
export const describeFilesAtEnd = (job: WireJob): readonly string[] => {
  const outputs = readOutputs(job);
  const end = outputs === null ? null : describeEnd(job.id, outputs);
  return [...listNotes(job), ...(end === null ? [] : [end])];
};

/** What is said where there is no file to show. */
export const describeNoFiles = (job: WireJob): string => {
  const outputs = readOutputs(job);
  return `has no files${outputs === null ? "" : describeLeftOut(outputs.left_out)}`;
};

const describeState = (outputs: WireOutputs): string | null => {
  switch (outputs.state) {
    case "none":
      return outputs.left_out.files === 0 ? null : `nothing is kept${describeLeftOut(outputs.left_out)}`;
    case "moving":
      return "are being kept";
    case "failed":
      return "could not be kept";
    case "kept":
      return describeAmount(outputs) + describeLeftOut(outputs.left_out);
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
