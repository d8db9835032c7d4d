import type { MatchText } from "../../../mcp/text-matcher.ts";
import type { WireJob } from "../../../wire/job.ts";

/** Whose jobs a name or an expression means, null for all; `hasGpus` where a number is a running job's GPU. */
export type WordMeaning = Readonly<{ user: string | null; hasGpus: boolean }>;

const GPU = /^\d{1,2}$/;
const BATCH = "@";

export const isGpuWord = (word: string): boolean => GPU.test(word);

/** The batch that a word means, null for another word. */
export const readBatch = (word: string): string | null => (word.startsWith(BATCH) ? word.slice(BATCH.length) : null);

/** What the word selects, by the first that fits: a batch, an id, a GPU, a whole name, an expression over commands. */
export const selectByWord = (
  jobs: readonly WireJob[],
  { word, matches }: Readonly<{ word: string; matches: MatchText }>,
  { user, hasGpus }: WordMeaning,
): readonly WireJob[] => {
  const batch = readBatch(word);
  if (batch !== null) return jobs.filter((job) => job.batch_id === batch);
  const byId = jobs.filter(({ id }) => id === word);
  if (byId.length > 0) return byId;
  if (hasGpus && isGpuWord(word)) return jobs.filter((job) => job.gpu_idxs.includes(Number(word)));
  const own = jobs.filter((job) => user === null || job.user === user);
  const named = own.filter(({ name }) => name === word);
  return named.length > 0 ? named : own.filter(({ command }) => matches(command));
};
