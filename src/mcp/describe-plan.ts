import { err, ok, type Result } from "../base/result.ts";
import { digestText } from "../tools/digest.ts";
import type { WireGpu } from "../wire/gpu.ts";
import { listGpuUses } from "../wire/gpus/gpu-text.ts";
import type { JobRequestInput } from "../wire/job.ts";
import { type AskedFields, askedFields } from "../wire/job-fields/job-fields.ts";
import type { ServerStatus } from "../wire/node.ts";
import { type Answer, type Ask, NOT_CONFIRMED, type Trouble } from "./ask.ts";
import { cutText, leaveOutUnknown } from "./brief-job.ts";
import type { Plan } from "./plan.ts";
import type { Facts, ToolContext } from "./tool.ts";

type Place = Readonly<{ node: string; queued: number; free: number; all: number }>;

const SHOWN = 20;
const MAX_COMMAND = 300;
const TICKET_LENGTH = 10;

const nameTicket = ({ requests, code }: Plan, target: string): string =>
  digestText(JSON.stringify([target, code?.tree ?? null, requests])).slice(0, TICKET_LENGTH);

const isFree = (gpu: WireGpu): boolean =>
  gpu.running_job_id === null && gpu.is_reserved !== true && listGpuUses(gpu).every(({ tone }) => tone !== "bad");

const readPlace = async (ask: Ask): Promise<Result<Place, Trouble>> => {
  const [status, gpus] = await Promise.all([
    ask.get<ServerStatus>("/v1/server/status"),
    ask.get<readonly WireGpu[]>("/v1/gpus"),
  ]);
  if (!status.ok) return status;
  if (!gpus.ok) return gpus;
  const { node_name: node, queued_jobs: queued } = status.value;
  return ok({ node, queued, free: gpus.value.filter(isFree).length, all: gpus.value.length });
};

const countGpus = ({ num_gpus: count, gpu_idxs: idxs }: JobRequestInput): number => idxs?.length ?? count ?? 1;

const countStarting = (requests: readonly JobRequestInput[], free: number): number => {
  let left = free;
  return requests.filter((request) => {
    left -= countGpus(request);
    return left >= 0;
  }).length;
};

const describeWhen = (requests: readonly JobRequestInput[], { queued, free, all }: Place): string => {
  const wanted = requests.reduce((sum, request) => sum + countGpus(request), 0);
  if (wanted === 0) return "at once, as far as the server's number of CPU jobs allows";
  const room = `${free} of ${all} GPUs free, ${queued} jobs queued before`;
  const starting = queued > 0 ? 0 : countStarting(requests, free);
  if (starting === 0) return `later: ${room}`;
  return starting === requests.length ? `at once: ${room}` : `${starting} of ${requests.length} at once: ${room}`;
};

const FIELDS = Object.keys(askedFields) as readonly (keyof AskedFields)[];

const describeOptions = ([first]: readonly JobRequestInput[]): Facts =>
  first === undefined
    ? {}
    : {
        gpus_each: countGpus(first),
        gpu_idxs: first.gpu_idxs,
        priority: first.priority || null,
        variables: Object.keys(first.env ?? {}),
        user: first.user,
        ...Object.fromEntries(FIELDS.map((name) => [name, first[name]])),
      };

const describePlan = ({ requests, code, notes }: Plan, target: string, place: Place): Facts =>
  leaveOutUnknown({
    jobs: requests.slice(0, SHOWN).map(({ command }) => cutText(command, MAX_COMMAND)),
    more_jobs: requests.length > SHOWN ? requests.length - SHOWN : null,
    ...describeOptions(requests),
    code: code ?? undefined,
    where: `${place.node} (target ${target})`,
    when: describeWhen(requests, place),
    notes,
  });

const MAX_REMEMBERED = 1000;

const send = async (plan: Plan): Answer<Facts> => {
  const submitted = await plan.submit();
  if (!submitted.ok) return submitted;
  const { jobs, notes } = submitted.value;
  return ok(leaveOutUnknown({ submitted: jobs.map(({ id }) => id), notes }));
};

const remember = (used: ToolContext["used"], ticket: string, sending: Answer<Facts>): void => {
  used.set(ticket, sending);
  for (const oldest of used.keys()) if (used.size > MAX_REMEMBERED) used.delete(oldest);
};

const tellAgain = (done: Result<Facts, Trouble>): Result<Facts, Trouble> =>
  done.ok
    ? ok({ ...done.value, notes: ["by an earlier call; to run the same once more, preview it once more"] })
    : done;

const submit = async ({ used }: ToolContext, plan: Plan, ticket: string): Answer<Facts> => {
  const earlier = used.get(ticket);
  if (earlier !== undefined) return tellAgain(await earlier);
  const sending = send(plan);
  remember(used, ticket, sending);
  const done = await sending;
  if (!done.ok) used.delete(ticket);
  return done;
};

/** A preview, or the jobs if it was confirmed and nothing of it has changed since; confirmed twice, they are queued once. */
export const offerPlan = async (context: ToolContext, plan: Plan, confirm: string | undefined): Answer<Facts> => {
  const { ask, target, used } = context;
  const ticket = nameTicket(plan, target);
  if (confirm === ticket) return submit(context, plan, ticket);
  used.delete(ticket);
  const place = await readPlace(ask);
  if (!place.ok) return place;
  const preview = { preview: describePlan(plan, target, place.value), confirm: ticket };
  if (confirm === undefined) return ok(preview);
  const message =
    "Nothing was submitted: this is not the confirm of what would run now (arguments or code have changed)";
  return err({ code: NOT_CONFIRMED, message, facts: preview });
};
