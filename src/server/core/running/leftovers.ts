import type { Job } from "../jobs/job.ts";

const MAX_NAMES = 10;
const TOLD = "it had left running";

const describeLeftovers = (names: readonly string[]): string => {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  const kinds = [...counts].map(([name, count]) => (count === 1 ? name : `${name} (${count})`));
  const more = kinds.length > MAX_NAMES ? ` and ${kinds.length - MAX_NAMES} other programs` : "";
  const [what, were] = names.length === 1 ? ["process", "was"] : ["processes", "were"];
  return `${names.length} ${what} ${TOLD} ${were} ended with its command: ${kinds.slice(0, MAX_NAMES).join(", ")}${more}`;
};

/** What is still to be said of a job whose processes outlived its command; `names` has one for each. */
export const planLeftoverNotes = ({ notes }: Pick<Job, "notes">, names: readonly string[] = []): readonly string[] =>
  names.length === 0 || notes.some((note) => note.includes(TOLD)) ? [] : [describeLeftovers(names)];
