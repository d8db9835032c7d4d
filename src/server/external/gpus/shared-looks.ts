import { err } from "../../../base/result.ts";
import type { Clock } from "../../core/clock.ts";
import type { GpuProbe, GpuReading } from "../../core/queue/gpu.ts";

type SharedLooks = Pick<GpuProbe, "read" | "readNow"> & Readonly<{ readSlowness: () => string | null }>;

type LookParts = Readonly<{
  look: () => Promise<GpuReading>;
  clock: Clock;
  explain: (slowness: string) => string;
  onLook: (slowness: string | null) => void;
}>;

type Answer = Readonly<{ reading: GpuReading; at: number }>;

const DEFAULT_MAX_AGE_S = 2;
const SLOW_S = 2;

const waitFor = (look: Promise<GpuReading>, otherwise: () => GpuReading): Promise<GpuReading> => {
  const { promise, resolve } = Promise.withResolvers<GpuReading>();
  const timer = setTimeout(() => resolve(otherwise()), SLOW_S * 1000);
  void look.then((reading) => {
    clearTimeout(timer);
    resolve(reading);
  });
  return promise;
};

const formatSeconds = (seconds: number): string => `${seconds < 10 ? seconds.toFixed(1) : Math.round(seconds)} s`;

const createWatch = ({ look, clock, explain, onLook }: LookParts) => {
  let underWay: Promise<GpuReading> | null = null;
  let startedAt = 0;
  let tookS = 0;
  let last: Answer | null = null;

  const start = async (): Promise<GpuReading> => {
    startedAt = clock();
    const reading = await look();
    tookS = reading.ok ? clock() - startedAt : 0;
    last = { reading, at: reading.ok ? startedAt : clock() };
    underWay = null;
    onLook(readSlowness());
    return reading;
  };

  const begin = (): Promise<GpuReading> => {
    underWay ??= start();
    return underWay;
  };

  const readSlowness = (): string | null => {
    const elapsedS = underWay === null ? 0 : clock() - startedAt;
    if (elapsedS >= SLOW_S) return explain(`has not answered for ${formatSeconds(elapsedS)}`);
    return tookS > SLOW_S ? explain(`takes ${formatSeconds(tookS)} to answer`) : null;
  };

  return { begin, readSlowness, readLast: (): Answer | null => last };
};

/**
 * Readers at the same time share one look, which never rejects; an answer is as old as the look's start, a failure as old as
 * its end. `explain` makes a sentence of how long an answer takes, which `onLook` hears after each look: null if it was quick.
 */
export const shareLooks = (parts: LookParts): SharedLooks => {
  const { begin, readSlowness, readLast } = createWatch(parts);
  const describeWaiting = (): GpuReading =>
    readLast()?.reading ?? err({ message: readSlowness() ?? parts.explain("has not answered yet") });
  return {
    readNow: begin,
    readSlowness,
    read: async (maxAgeS = DEFAULT_MAX_AGE_S) => {
      const last = readLast();
      return last !== null && parts.clock() - last.at < maxAgeS ? last.reading : waitFor(begin(), describeWaiting);
    },
  };
};
