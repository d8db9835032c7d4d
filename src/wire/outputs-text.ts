import { formatBytes } from "../base/format-bytes.ts";

type Amount = Readonly<{ files: number; bytes: number }>;

const DATE_AND_MINUTE = 16;

/** As in `3 files, 1.2 GB`. */
export const describeAmount = ({ files, bytes }: Amount): string =>
  `${files} ${files === 1 ? "file" : "files"}, ${formatBytes(bytes)}`;

/** What is told where a job's files were kept: `3 files, 1.2 GB are kept: nx pull k3f9ab`. */
export const describeKept = (id: string, amount: Amount): string =>
  `${describeAmount(amount)} ${amount.files === 1 ? "is" : "are"} kept: nx pull ${id}`;

/** The same once they go: `until` in Unix seconds. */
export const describeGoing = (id: string, amount: Amount, until: number): string => {
  const time = new Date(until * 1000).toISOString().slice(0, DATE_AND_MINUTE).replace("T", " ");
  return `${describeAmount(amount)} ${amount.files === 1 ? "goes" : "go"} on ${time} UTC: nx pull ${id}`;
};
