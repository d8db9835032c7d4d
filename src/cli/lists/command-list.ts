import { escapeText } from "../../base/escape-text.ts";
import type { WireJob } from "../../wire/job.ts";
import { measureWidth, truncateText } from "../terminal/text-width.ts";
import { createCommandFit } from "./shorten-commands.ts";

/** A server of a later version may know names of jobs. */
export type Listed = Pick<WireJob, "command"> & Readonly<{ name?: string | null }>;

export type FitListed = (job: Listed, width: number) => string;

const LEAST_COMMAND = 10;

/** Each job of a list in at most so many columns: its name first, if it has one, then of its command what differs from the others. */
export const createCommandList = (jobs: readonly Listed[]): FitListed => {
  const shorten = createCommandFit(jobs.map(({ command }) => escapeText(command)));
  return ({ command, name }, width) => {
    const text = escapeText(command);
    if (!name) return shorten(text, width);
    const title = truncateText(`${escapeText(name)}: `, Math.max(1, width));
    const left = width - measureWidth(title);
    return left < LEAST_COMMAND ? truncateText(title + text, width) : title + shorten(text, left);
  };
};
