import { fstatSync } from "node:fs";

type Stream = "input" | "output" | "errors";

const DESCRIPTORS: Readonly<Record<Stream, number>> = { input: 0, output: 1, errors: 2 };
const MEMORY_DEVICES = 1;

/** A character device that is none of memory, such as `/dev/null`. Loading `node:tty` takes longer than a whole verb. */
export const isTerminal = (stream: Stream): boolean => {
  const status = fstatSync(DESCRIPTORS[stream]);
  return status.isCharacterDevice() && status.rdev >> 8 !== MEMORY_DEVICES;
};

/** Whether a job's terminal can be shown here: keys can be read one by one, and the cursor can be moved. */
export const canShowTerminal = (): boolean =>
  isTerminal("input") && isTerminal("output") && !["", "dumb"].includes(process.env["TERM"] ?? "");
