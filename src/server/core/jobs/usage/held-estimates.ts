import type { HeldEstimates } from "../../../../wire/usage/estimates.ts";
import type { WireEstimate } from "../../../../wire/wait.ts";
import { roundTo } from "./round-to.ts";
import type { Window } from "./stints.ts";

/** When a job was said to start, and when it first did, in Unix seconds. */
export type Judgeable = WireEstimate & Readonly<{ startedAt: number }>;

type Verdict = "within" | "before" | "after";

const TOLD_TO_S = 60;
const SHARE_DIGITS = 3;

const judge = ({ from, to, startedAt }: Judgeable): Verdict => {
  if (startedAt < from - TOLD_TO_S) return "before";
  return startedAt > to + TOLD_TO_S ? "after" : "within";
};

/** How many estimates held of those jobs that first started within the time. */
export const judgeEstimates = (all: readonly Judgeable[], { since, until }: Window): HeldEstimates => {
  const verdicts = all.filter(({ startedAt: at }) => at >= since && at <= until).map(judge);
  const count = (verdict: Verdict): number => verdicts.filter((one) => one === verdict).length;
  const [jobs, within] = [verdicts.length, count("within")];
  const held_share = jobs === 0 ? null : roundTo(within / jobs, SHARE_DIGITS);
  return { since, until, jobs, within, before: count("before"), after: count("after"), held_share };
};
