import type { WireJob } from "../shared/job.ts";
import { err, ok, type Result } from "../shared/result.ts";
import type { Api } from "./api-client.ts";
import { INTERRUPTED } from "./failure.ts";
import { createLogFilter } from "./log-filter.ts";
import { hint, write } from "./output.ts";
import { isTerminal } from "./terminal.ts";
import type { Failure, Outcome } from "./verb.ts";

const KILLED_EXIT_CODE = 143;
const LOST_EXIT_CODE = 1;
const RECONNECT_MS = 1000;

const isEnded = (job: WireJob): boolean => job.status !== "queued" && job.status !== "running";

/** The job's own exit code; for one that has none, 143 when it was killed and 1 when it was lost. */
export const chooseExitCode = (job: WireJob): number =>
  job.exit_code ?? (job.status === "killed" ? KILLED_EXIT_CODE : LOST_EXIT_CODE);

const writeShown = async (stream: ReadableStream<Uint8Array>, isTerminal: boolean): Promise<void> => {
  const filter = createLogFilter(isTerminal);
  const decoder = new TextDecoder();
  for await (const chunk of stream) write(filter.push(decoder.decode(chunk, { stream: true })));
  write(filter.push(decoder.decode()) + filter.end());
};

const reportEnd = (job: WireJob): void => {
  if (job.status === "completed") return;
  hint(
    `Job ${job.id} ${job.status === "killed" ? "was killed" : "failed"}${job.error_message ? `: ${job.error_message}` : ""}`,
  );
};

export const waitForEnd = async (api: Api, id: string): Promise<Result<WireJob, Failure>> => {
  for (;;) {
    const stream = await api.stream(`/v1/jobs/${id}/logs/stream?last_n_lines=1`, new AbortController().signal);
    if (!stream.ok) return stream;
    for await (const _chunk of stream.value);
    const job = await api.get<WireJob>(`/v1/jobs/${id}`);
    if (!job.ok || isEnded(job.value)) return job;
    await new Promise((resolve) => setTimeout(resolve, RECONNECT_MS));
  }
};

const listenForInterrupt = (id: string): AbortController => {
  const controller = new AbortController();
  process.once("SIGINT", () => {
    hint(`\nDetached; job ${id} goes on. Come back with: nx logs -F ${id}`);
    controller.abort();
  });
  return controller;
};

/** Shows the log as it grows, until the job ends or Ctrl-C. */
export const followJob = async (api: Api, id: string, lastLines: number | null): Promise<Outcome> => {
  const controller = listenForInterrupt(id);
  const query = lastLines === null ? "" : `?last_n_lines=${lastLines}`;
  const stream = await api.stream(`/v1/jobs/${id}/logs/stream${query}`, controller.signal);
  if (!stream.ok) return stream;
  try {
    await writeShown(stream.value, isTerminal("output"));
  } catch (error) {
    if (controller.signal.aborted) return ok(INTERRUPTED);
    return err({ exitCode: 3, message: `the connection broke (${String(error)}); come back with: nx logs -F ${id}` });
  }
  const ended = await waitForEnd(api, id);
  if (!ended.ok) return ended;
  reportEnd(ended.value);
  return ok(chooseExitCode(ended.value));
};
