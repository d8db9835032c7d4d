import type { WireEstimate } from "../../../wire/wait.ts";
import { formatMoment } from "../../terminal/clock.ts";

const MINUTE_S = 60;

const describeTimes = ({ from, to }: WireEstimate): string =>
  to - from < MINUTE_S ? formatMoment(to) : `${formatMoment(from)} to ${formatMoment(to)}`;

/** When jobs start about: the first of them at the first time, the last at the last. */
export const describeEstimates = (estimates: readonly WireEstimate[]): string => {
  const from = Math.min(...estimates.map((one) => one.from));
  const to = Math.max(...estimates.map((one) => one.to));
  return `If no other comes, ${estimates.length === 1 ? "it starts" : "they start"} about ${describeTimes({ from, to })}.`;
};
