import { readdirSync, readFileSync } from "node:fs";

export type Use = Readonly<{ rssMib: number; descriptors: number }>;

export const readUse = (pid: number): Use => ({
  rssMib: Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? Number.NaN) / 1024,
  descriptors: readdirSync(`/proc/${pid}/fd`).length,
});

type Buckets = Map<number, number>;

const BUCKET = /^(\w+)_bucket\{(.*)\} (\S+)$/;

const addBuckets = (text: string, name: string): Buckets => {
  const buckets: Buckets = new Map();
  for (const line of text.split("\n")) {
    const [, family, labels = "", value] = BUCKET.exec(line) ?? [];
    const bound = /le="([^"]+)"/.exec(labels)?.[1];
    if (family !== name || bound === undefined) continue;
    const le = bound === "+Inf" ? Number.POSITIVE_INFINITY : Number(bound);
    buckets.set(le, (buckets.get(le) ?? 0) + Number(value));
  }
  return buckets;
};

/** The bound, in milliseconds, below which this share of a histogram of seconds lies; NaN when the server has none. */
export const readBound = (metrics: string, name: string, share: number): number => {
  const buckets = [...addBuckets(metrics, name)].toSorted(([a], [b]) => a - b);
  const total = buckets.at(-1)?.[1] ?? 0;
  const [bound = Number.NaN] = buckets.find(([, count]) => count >= total * share) ?? [];
  return total === 0 ? Number.NaN : bound * 1000;
};
