import { isSharing } from "../../jobs/fields/gpu-kinds.ts";
import type { QueuedJob } from "../../jobs/job.ts";
import { findShare } from "../agent-share.ts";
import { findBatch } from "../limits/batch-limit.ts";
import { type NamedNeed, nameNeed } from "../needs/need-name.ts";
import type { Spell } from "./spells.ts";

/** Of jobs that reach their limits together: since when they are over one (Unix seconds; null where they aren't), and when they were before that, the oldest first. */
export type LimitSpells = Readonly<{ since: number | null; past: readonly Spell[] }>;

/** By the name of those jobs. */
export type LimitedJobs = Readonly<Record<string, LimitSpells>>;

/** Of jobs that wait now: whether they are over a limit, null where that is not known and stays as it is. */
export type LimitLook = Readonly<{ name: string; isOver: boolean | null }>;

export const NONE_LIMITED: LimitedJobs = {};
const NEVER: LimitSpells = { since: null, past: [] };
const SPELLS_KEPT = 100;

/** The same text for jobs that are over a limit of their user or batch together, or not. */
export const nameLimited = (need: NamedNeed, user: string): string =>
  JSON.stringify([user, isSharing(need) ? nameNeed(need) : need.numGpus, need.batch?.id ?? null]);

export const nameLimitedOf = (job: QueuedJob): string =>
  nameLimited({ ...job, share: findShare(job), batch: findBatch(job) }, job.user);

/** Those in which the jobs were over a limit, as far as is known at `now`. */
export const listLimited = ({ since, past }: LimitSpells, now: number): readonly Spell[] =>
  since === null || since >= now ? past : [...past, { from: since, to: now }];

const beginSpell = ({ past }: LimitSpells, now: number): LimitSpells => {
  const last = past.at(-1);
  return last === undefined || last.to < now ? { since: now, past } : { since: last.from, past: past.slice(0, -1) };
};

const endSpell = (spells: LimitSpells, now: number): LimitSpells => ({
  since: null,
  past: listLimited(spells, now).slice(-SPELLS_KEPT),
});

const noteOne = (spells: LimitSpells, isOver: boolean | null, now: number): LimitSpells => {
  if (isOver === null || isOver === (spells.since !== null)) return spells;
  return isOver ? beginSpell(spells, now) : endSpell(spells, now);
};

/** With what is so of the jobs that wait now; none others are over a limit. The same where nothing changes. */
export const noteLimited = (limited: LimitedJobs, looks: readonly LimitLook[], now: number): LimitedJobs => {
  const isOver = new Map(looks.map((look) => [look.name, look.isOver]));
  const names = [...new Set([...Object.keys(limited), ...isOver.keys()])];
  const noted = names.map((name) => {
    const before = limited[name] ?? NEVER;
    const looked = isOver.get(name);
    return { name, before, after: noteOne(before, looked === undefined ? false : looked, now) };
  });
  if (noted.every(({ before, after }) => before === after)) return limited;
  return Object.fromEntries(noted.map(({ name, after }) => [name, after] as const));
};
