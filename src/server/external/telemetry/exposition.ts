export type Labels = Readonly<Record<string, string>>;

/** `suffix` follows the family's name, as in `_bucket`. */
export type Sample = Readonly<{ suffix?: string; labels: Labels; value: number }>;

export type Family = Readonly<{
  name: string;
  help: string;
  kind: "counter" | "gauge" | "histogram";
  samples: readonly Sample[];
}>;

const escapeLabel = (value: string): string =>
  value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");

const renderLabels = (labels: Labels): string => {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escapeLabel(value)}"`);
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
};

const renderSample = (name: string, { suffix = "", labels, value }: Sample): string =>
  `${name}${suffix}${renderLabels(labels)} ${value}\n`;

const renderFamily = ({ name, help, kind, samples }: Family): string =>
  `# HELP ${name} ${help}\n# TYPE ${name} ${kind}\n${samples.map((sample) => renderSample(name, sample)).join("")}`;

/** Version 0.0.4 of Prometheus' text format: https://prometheus.io/docs/instrumenting/exposition_formats/ */
export const renderFamilies = (families: readonly Family[]): string =>
  families
    .filter(({ samples }) => samples.length > 0)
    .map(renderFamily)
    .join("");

export const describeGauge = (name: string, help: string, samples: readonly Sample[]): Family => ({
  name,
  help,
  kind: "gauge",
  samples,
});

export const describeValue = (name: string, help: string, value: number): Family =>
  describeGauge(name, help, [{ labels: {}, value }]);
