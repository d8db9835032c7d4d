import type { Labels } from "../../src/server/external/telemetry/exposition.ts";

export type ParsedSample = Readonly<{ name: string; labels: Labels; value: number }>;
export type ParsedFamily = Readonly<{ name: string; help: string; kind: string; samples: readonly ParsedSample[] }>;

const HELP = /^# HELP ([a-z_:][a-z0-9_:]*) (.+)$/;
const TYPE = /^# TYPE ([a-z_:][a-z0-9_:]*) (counter|gauge|histogram)$/;
const LABEL = String.raw`[a-z_][a-z0-9_]*="(?:[^"\\\n]|\\[\\"n])*"`;
const SAMPLE = new RegExp(String.raw`^([a-z_:][a-z0-9_:]*)(?:\{(${LABEL}(?:,${LABEL})*)\})? (\S+)$`);
const SUFFIXES = ["_bucket", "_sum", "_count"];

const unescapeLabel = (text: string): string =>
  text.replaceAll(/\\(.)/g, (_whole, letter: string) => (letter === "n" ? "\n" : letter));

const parseLabels = (text: string): Labels =>
  Object.fromEntries(
    [...text.matchAll(new RegExp(LABEL, "g"))].map(([pair]) => {
      const at = pair.indexOf("=");
      return [pair.slice(0, at), unescapeLabel(pair.slice(at + 2, -1))];
    }),
  );

const parseSample = (line: string): ParsedSample => {
  const [, name, labels = "", text = ""] = SAMPLE.exec(line) ?? [];
  const value = Number(text);
  if (name === undefined || Number.isNaN(value)) throw new Error(`Not a sample: ${line}`);
  return { name, labels: parseLabels(labels), value };
};

const describeSeries = ({ name, labels }: ParsedSample): string =>
  `${name} ${JSON.stringify(Object.entries(labels).toSorted())}`;

const checkHistogram = ({ name, samples }: ParsedFamily): void => {
  const withoutBound = ({ labels }: ParsedSample): string =>
    JSON.stringify(Object.entries(labels).filter(([label]) => label !== "le"));
  for (const [key, series] of Map.groupBy(samples, withoutBound)) {
    const buckets = series.filter((sample) => sample.name === `${name}_bucket`);
    const bounds = buckets.map(({ labels }) =>
      labels["le"] === "+Inf" ? Number.POSITIVE_INFINITY : Number(labels["le"]),
    );
    const isAscending = bounds.every((bound, index) => index === 0 || bound > (bounds[index - 1] ?? 0));
    const isCumulative = buckets.every(({ value }, index) => value >= (buckets[index - 1]?.value ?? 0));
    const count = series.find((sample) => sample.name === `${name}_count`)?.value;
    const hasSum = series.some((sample) => sample.name === `${name}_sum`);
    const isWhole = bounds.at(-1) === Number.POSITIVE_INFINITY && buckets.at(-1)?.value === count && hasSum;
    if (!isAscending || !isCumulative || !isWhole) throw new Error(`Not a histogram: ${name} ${key}`);
  }
};

const checkFamily = (family: ParsedFamily): void => {
  const { name, kind, samples } = family;
  const allowed = kind === "histogram" ? SUFFIXES.map((suffix) => name + suffix) : [name];
  const stranger = samples.find((sample) => !allowed.includes(sample.name));
  if (stranger !== undefined) throw new Error(`${stranger.name} does not belong to ${name}`);
  if (new Set(samples.map(describeSeries)).size !== samples.length) throw new Error(`${name} has a series twice`);
  if ((kind === "counter") !== name.endsWith("_total")) throw new Error(`${name} is a ${kind} by its name or its type`);
  if (kind === "histogram") checkHistogram(family);
};

const takeFamily = (lines: string[]): ParsedFamily => {
  const [, name, help] = HELP.exec(lines.shift() ?? "") ?? [];
  const [, typed, kind] = TYPE.exec(lines.shift() ?? "") ?? [];
  if (!name || !help || !kind || typed !== name) throw new Error(`Not the head of a family: ${name} ${typed} ${kind}`);
  const samples: ParsedSample[] = [];
  while (lines[0] !== undefined && !lines[0].startsWith("#")) samples.push(parseSample(lines.shift() ?? ""));
  return { name, help, kind, samples };
};

/** Strict: throws where the text is not what version 0.0.4 of the format and the naming conventions ask for. */
export const parseExposition = (text: string): ReadonlyMap<string, ParsedFamily> => {
  if (!text.endsWith("\n")) throw new Error("The last line has no end");
  const families = new Map<string, ParsedFamily>();
  const lines = text.slice(0, -1).split("\n");
  while (lines.length > 0) {
    const family = takeFamily(lines);
    if (families.has(family.name)) throw new Error(`${family.name} is there twice`);
    checkFamily(family);
    families.set(family.name, family);
  }
  return families;
};

const hasLabels = (sample: ParsedSample, labels: Labels): boolean =>
  Object.entries(labels).every(([name, value]) => sample.labels[name] === value);

/** The sum of the samples of that name with these labels among theirs; undefined when there is none. */
export const readFigure = (text: string, name: string, labels: Labels = {}): number | undefined => {
  const samples = [...parseExposition(text).values()].flatMap((family) => family.samples);
  const found = samples.filter((sample) => sample.name === name && hasLabels(sample, labels));
  return found.length === 0 ? undefined : found.reduce((sum, { value }) => sum + value, 0);
};
