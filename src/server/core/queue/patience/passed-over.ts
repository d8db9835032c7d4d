import { rememberEach } from "../../../../base/remember-each.ts";
import { findWaitsSince } from "../../jobs/fields/waits.ts";
import type { QueuedJob } from "../../jobs/job.ts";
import { type Drains, listDrained, NO_DRAINS } from "../drain.ts";
import type { NamedNeed } from "../needs/need-name.ts";
import { type LimitedJobs, listLimited, NONE_LIMITED, nameLimited, nameLimitedOf } from "./limit-spells.ts";
import { countBack, countOn, joinSpells, type Spell } from "./spells.ts";

/** What tells how long others were let go first; `maxPassedOverS` in seconds. */
export type PatienceFacts = Readonly<{ drains?: Drains; limited?: LimitedJobs; maxPassedOverS: number }>;

/** Jobs with this need that have waited since before this time, in Unix seconds, were passed over for too long. */
export type PassedOverSince = (need: NamedNeed, user: string) => number;

const nameOnce = rememberEach(nameLimitedOf);

const createListSpells = ({ drains, limited = NONE_LIMITED }: PatienceFacts, now: number) => {
  const drained = listDrained(drains ?? NO_DRAINS, now);
  return (name: string): readonly Spell[] => {
    const own = limited[name];
    return own === undefined ? drained : joinSpells([...drained, ...listLimited(own, now)]);
  };
};

const createSinceOf = (facts: PatienceFacts, now: number): ((readName: () => string) => number) => {
  const { limited = NONE_LIMITED, maxPassedOverS } = facts;
  const listSpells = createListSpells(facts, now);
  const general = countBack(listDrained(facts.drains ?? NO_DRAINS, now), now, maxPassedOverS);
  const own = new Map(
    Object.keys(limited).map((name) => [name, countBack(listSpells(name), now, maxPassedOverS)] as const),
  );
  return (readName) => (own.size === 0 ? general : (own.get(readName()) ?? general));
};

export const createPassedOverSince = (facts: PatienceFacts, now: number): PassedOverSince => {
  const sinceOf = createSinceOf(facts, now);
  return (need, user) => sinceOf(() => nameLimited(need, user));
};

/** Whether others were let go first for so long that what the job needs is kept for it. */
export const createIsPassedOver = (facts: PatienceFacts, now: number): ((job: QueuedJob) => boolean) => {
  const sinceOf = createSinceOf(facts, now);
  return (job) => findWaitsSince(job) < sinceOf(() => nameOnce(job));
};

/** Without the spells that tell nothing any more: jobs that have waited since before these were passed over for too long. */
export const forgetSpells = (facts: PatienceFacts & Readonly<{ limited: LimitedJobs }>, now: number): LimitedJobs => {
  const listSpells = createListSpells(facts, now);
  const left = Object.entries(facts.limited).map(([name, { since, past }]) => {
    const open = countBack(listSpells(name), now, facts.maxPassedOverS);
    return [name, { since, past: past.filter(({ to }) => to > open) }] as const;
  });
  return Object.fromEntries(left.filter(([, { since, past }]) => since !== null || past.length > 0));
};

/** The time from which on the job will have been passed over for too long, if nothing but the machine keeps it from now on. */
export const findPassedOverAt = (facts: PatienceFacts, job: QueuedJob, now: number): number =>
  countOn(createListSpells(facts, now)(nameOnce(job)), {
    since: findWaitsSince(job),
    seconds: facts.maxPassedOverS,
  });
