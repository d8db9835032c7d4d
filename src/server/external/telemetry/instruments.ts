import type { Family, Labels, Sample } from "./exposition.ts";

type Name = Readonly<{ name: string; help: string }>;

export type Counter = Readonly<{ add: (amount: number, labels?: Labels) => void; read: () => Family }>;

export type Histogram = Readonly<{ observe: (value: number, labels?: Labels) => void; read: () => Family }>;

type Series<State> = Readonly<{ find: (labels: Labels) => State; list: () => readonly (readonly [Labels, State])[] }>;
type Distribution = { readonly counts: number[]; sum: number };

const UNLABELLED: Labels = {};

const createSeries = <State>(first: readonly Labels[], create: () => State): Series<State> => {
  const states = new Map<string, readonly [Labels, State]>();
  const find = (labels: Labels): State => {
    const key = Object.values(labels).join("\n");
    const known = states.get(key);
    if (known !== undefined) return known[1];
    const state = create();
    states.set(key, [labels, state]);
    return state;
  };
  for (const labels of first) find(labels);
  return { find, list: () => [...states.values()] };
};

/** Only grows, or goes both ways as a gauge; `first` are the series that are there from the start, at 0. */
export const createCounter = (
  { name, help }: Name,
  first: readonly Labels[] = [],
  kind: "counter" | "gauge" = "counter",
): Counter => {
  const series = createSeries(first, () => ({ value: 0 }));
  return {
    add: (amount, labels = UNLABELLED) => {
      series.find(labels).value += amount;
    },
    read: () => ({ name, help, kind, samples: series.list().map(([labels, { value }]) => ({ labels, value })) }),
  };
};

const describeDistribution = (
  bounds: readonly number[],
  labels: Labels,
  { counts, sum }: Distribution,
): readonly Sample[] => {
  let count = 0;
  const buckets = [...bounds, Number.POSITIVE_INFINITY].map((bound, index): Sample => {
    count += counts[index] ?? 0;
    const le = bound === Number.POSITIVE_INFINITY ? "+Inf" : String(bound);
    return { suffix: "_bucket", labels: { ...labels, le }, value: count };
  });
  return [...buckets, { suffix: "_sum", labels, value: sum }, { suffix: "_count", labels, value: count }];
};

/** `bounds` are the upper ends of the buckets, ascending; the last one, without end, is added. */
export const createHistogram = (
  { name, help }: Name,
  bounds: readonly number[],
  first: readonly Labels[] = [],
): Histogram => {
  const series = createSeries(first, (): Distribution => ({ counts: Array(bounds.length + 1).fill(0), sum: 0 }));
  const observe: Histogram["observe"] = (value, labels = UNLABELLED) => {
    const state = series.find(labels);
    const fitting = bounds.findIndex((bound) => value <= bound);
    const bucket = fitting === -1 ? bounds.length : fitting;
    state.counts[bucket] = (state.counts[bucket] ?? 0) + 1;
    state.sum += value;
  };
  const read = (): Family => ({
    name,
    help,
    kind: "histogram",
    samples: series.list().flatMap(([labels, state]) => describeDistribution(bounds, labels, state)),
  });
  return { observe, read };
};
