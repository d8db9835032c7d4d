import { readDevice } from "./light-files.ts";

type Stream = "input" | "output" | "errors";

const MEMORY_DEVICES = 1;

const findTerminal = async (descriptor: number): Promise<boolean> => {
  const device = await readDevice(descriptor);
  return device !== null && device >> 8 !== MEMORY_DEVICES;
};

const [INPUT, OUTPUT, ERRORS] = await Promise.all([findTerminal(0), findTerminal(1), findTerminal(2)]);

const TERMINALS: Readonly<Record<Stream, boolean>> = { input: INPUT, output: OUTPUT, errors: ERRORS };

/** A character device that is none of memory, such as `/dev/null`. Loading `node:tty` takes longer than a whole verb. */
export const isTerminal = (stream: Stream): boolean => TERMINALS[stream];

/** Whether a job's terminal can be shown here: keys can be read one by one, and the cursor can be moved. */
export const canShowTerminal = (): boolean =>
  isTerminal("input") && isTerminal("output") && !["", "dumb"].includes(process.env["TERM"] ?? "");
