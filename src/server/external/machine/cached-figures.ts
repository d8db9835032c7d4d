import type { Clock } from "../../core/clock.ts";

export type ReadFigures<Figures> = (refresh: boolean) => Promise<Figures | null>;

type Probe<Figures> = Readonly<{
  measure: () => Promise<Figures>;
  clock: Clock;
  maxAgeS: number;
  answerWithinMs: number;
  refreshAfterS?: number;
}>;

const waitWithin = <Figures>(measuring: Promise<Figures>, limitMs: number): Promise<Figures | null> => {
  const { promise, resolve } = Promise.withResolvers<Figures | null>();
  const timer = setTimeout(() => resolve(null), limitMs);
  const settle = (figures: Figures | null): void => {
    clearTimeout(timer);
    resolve(figures);
  };
  measuring.then(settle, () => settle(null));
  return promise;
};

/**
 * A measurement that is too slow goes on and serves later readers; until then they get the last figures, or null. `refresh`
 * counts once figures are `refreshAfterS` old.
 */
export const cacheFigures = <Figures>(probe: Probe<Figures>): ReadFigures<Figures> => {
  let last: Readonly<{ at: number; figures: Figures }> | null = null;
  let measuring: Promise<Figures> | null = null;

  const measure = async (): Promise<Figures> => {
    try {
      const figures = await probe.measure();
      last = { at: probe.clock(), figures };
      return figures;
    } finally {
      measuring = null;
    }
  };

  return async (refresh) => {
    const keptS = refresh ? (probe.refreshAfterS ?? 0) : probe.maxAgeS;
    if (last !== null && probe.clock() - last.at < keptS) return last.figures;
    measuring ??= measure();
    return (await waitWithin(measuring, probe.answerWithinMs)) ?? last?.figures ?? null;
  };
};
