import { err } from "../../base/result.ts";
import { DONE, type FlagValues, type Invocation, type Outcome, type Verb } from "../../command-line/command.ts";
import { readSwitch } from "../../command-line/flag-values.ts";
import { addHint, failUsage, INTERRUPTED } from "../../command-line/usage.ts";
import type { WireGpu } from "../../wire/gpu.ts";
import type { WireJob } from "../../wire/job.ts";
import type { Api } from "../connection/api-client.ts";
import { connect } from "../connection/connect.ts";
import { RUN_FIELDS } from "../fields/field-table.ts";
import { awaitJob, awaitJobs, isEnded } from "../jobs/await-job.ts";
import { followJob, listenForInterrupt } from "../jobs/follow-job.ts";
import { concludeJob } from "../jobs/job-ending.ts";
import { sayKept } from "../jobs/say-kept.ts";
import { warnOfHealth } from "../jobs/warn-of-health.ts";
import { adviseRun } from "../submission/advise-run.ts";
import { confirmCommand } from "../submission/confirm-command.ts";
import { isBlank, joinCommand } from "../submission/job-command.ts";
import { planSubmission } from "../submission/plan-submission.ts";
import { sendInput } from "../submission/send-input.ts";
import { showRequest } from "../submission/show-request.ts";
import { SUBMISSION_FLAGS } from "../submission/submission-flags.ts";
import { submitJob } from "../submission/submit-jobs.ts";
import { canShowTerminal } from "../terminal/is-terminal.ts";
import { hint, print, printJson } from "../terminal/output.ts";
import { readPipedInput } from "../terminal/piped-input.ts";

const INTERACTIVE_SHELL = "exec bash -i";

const SHORT_PATIENCE_MS = 15;

const sayWhere = async (api: Api, job: WireJob, howToLeave: string): Promise<void> => {
  const [gpus] = await Promise.all([api.get<readonly WireGpu[]>("/v1/gpus"), warnOfHealth(api, SHORT_PATIENCE_MS)]);
  const isMock = gpus.ok && gpus.value.some((gpu) => gpu.is_mock);
  const where =
    job.num_gpus === 0
      ? "without a GPU"
      : `on ${job.num_gpus} GPU${job.num_gpus > 1 ? "s" : ""}${isMock ? " (mock)" : ""}`;
  hint(`Job ${job.id} runs ${where}.${howToLeave}`);
};

const report = (job: WireJob, { flags }: Invocation): void => {
  if (readSwitch(flags, "json")) printJson(job);
  else if (readSwitch(flags, "quiet")) print(job.id);
  else print(`Job ${job.id} started. Follow it with: nx logs -F ${job.id} · nx attach ${job.id}`);
};

const submit = async (api: Api, invocation: Invocation): Promise<Outcome> => {
  const { words } = invocation;
  const plan = await planSubmission(invocation.flags, api.target, RUN_FIELDS);
  if (!plan.ok) return plan;
  const { flags, options } = plan.value;
  const command = words.length === 0 ? INTERACTIVE_SHELL : joinCommand(words);
  const base = { ...options, command, run_immediately: true };
  const input = await readPipedInput();
  if (!input.ok) return input;
  if (readSwitch(flags, "dry-run")) {
    printJson(showRequest(base));
    return DONE;
  }
  const sent = await sendInput(api, input.value);
  if (!sent.ok) return sent;
  const request = { ...base, ...sent.value };
  const job = await submitJob(api, flags, request);
  return job.ok ? show(api, job.value, invocation) : err(await adviseRun(api, request, job.error));
};

const returnsAtOnce = (flags: FlagValues): boolean => readSwitch(flags, "detach") || readSwitch(flags, "quiet");

const awaitAsJson = async (api: Api, { id }: WireJob): Promise<Outcome> => {
  const { signal, ignore } = listenForInterrupt(id);
  for await (const ended of awaitJobs(api, { ids: [id], states: [isEnded], signal })) {
    ignore();
    if (!ended.ok) return err(addHint(ended.error, `come back with: nx wait ${id}`));
    const job = await sayKept(api, ended.value);
    printJson(job);
    return concludeJob(job, true);
  }
  return err({
    exitCode: INTERRUPTED,
    message: `interrupted; job ${id} goes on`,
    hint: `come back with: nx wait ${id}`,
  });
};

const show = async (api: Api, job: WireJob, invocation: Invocation): Promise<Outcome> => {
  if (returnsAtOnce(invocation.flags)) {
    report(job, invocation);
    await warnOfHealth(api);
    return DONE;
  }
  if (readSwitch(invocation.flags, "json")) return awaitAsJson(api, job);
  if (canShowTerminal()) return openTerminal(api, job);
  await sayWhere(api, job, `\nDetach with Ctrl-C; come back with: nx logs -F ${job.id}`);
  return followJob(api, job.id);
};

const openTerminal = async (api: Api, job: WireJob): Promise<Outcome> => {
  await sayWhere(api, job, "");
  const started = await awaitJob(api, job.id, ({ status }) => status !== "queued");
  if (!started.ok) return started;
  if (isEnded(started.value)) return followJob(api, job.id);
  const { attachToJob } = await import("../attach/attach-job.ts");
  return attachToJob(api, job.id, false);
};

const canOpenShell = (flags: FlagValues): boolean =>
  (canShowTerminal() && !readSwitch(flags, "json")) || returnsAtOnce(flags) || readSwitch(flags, "dry-run");

const run = async (invocation: Invocation): Promise<Outcome> => {
  if (invocation.words.length === 0 && !canOpenShell(invocation.flags))
    return failUsage("nx run without a command opens a shell, which needs a terminal", "give a command, or -d");
  if (isBlank(invocation.words)) return failUsage("the command is blank");
  const confirmed = await confirmCommand(invocation);
  if (!confirmed.ok) return confirmed;
  const api = await connect(invocation.flags);
  return api.ok ? submit(api.value, invocation) : api;
};

export const verb: Verb = {
  name: "run",
  usage: "nx run [flags] [command…]",
  summary: "run a command, or a shell, on a free GPU now",
  flags: [{ long: "detach", short: "d", help: "return at once" }, ...SUBMISSION_FLAGS],
  isCommand: true,
  examples: [
    "nx run python3 train.py --lr 0.1",
    "nx run -g 2 -e SEED=1 'python3 train.py | tee loss.txt'",
    "nx run bash < job.sh",
  ],
  run,
};
