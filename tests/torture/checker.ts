import type { Evidence, StoredJob, WitnessLine } from "./evidence.ts";
import { type Answer, type Event, isAccepted } from "./history.ts";
import { codeOf, type JobPlan, memoryOf } from "./jobs.ts";
import { checkBatches, checkDrains, checkNeeds, isAbandoned } from "./queue-checks.ts";

/** What is wrong, in one line that begins with the rule. */
export type Finding = string;

type Start = Extract<WitnessLine, { kind: "start" }>;
type End = Extract<WitnessLine, { kind: "end" }>;
type Told = "accepted" | "unanswered" | "refused";

type Claim = Readonly<{
  plan: JobPlan;
  told: Told;
  ids: ReadonlySet<string>;
  isBeingRemoved: boolean;
  isRemoved: boolean;
  mayBeRemoved: boolean;
  mayBeKilled: boolean;
  releasedAt: number | null;
  variants: readonly number[];
  priorities: readonly number[];
  gpuCounts: readonly number[];
}>;

const RUN_NOW_PRIORITY = 9999;
const ENDED = ["completed", "failed", "killed"];
const SERVER_ERROR = 500;
const UNAVAILABLE = 503;

const firstClaim = (plan: JobPlan): Claim => ({
  plan,
  told: "refused",
  ids: new Set(),
  isBeingRemoved: false,
  isRemoved: false,
  mayBeRemoved: false,
  mayBeKilled: false,
  releasedAt: plan.isHeld === true ? null : 0,
  variants: [0],
  priorities: [plan.runNow ? RUN_NOW_PRIORITY : plan.priority],
  gpuCounts: [plan.numGpus],
});

const toldMore = (before: Told, event: Extract<Event, { kind: "submit" }>): Told => {
  if (before === "accepted" || isAccepted(event.answer)) return "accepted";
  return before === "unanswered" || event.answer === null ? "unanswered" : "refused";
};

const hearSubmit = (claim: Claim, event: Extract<Event, { kind: "submit" }>): Claim => {
  const id = event.ids?.[event.jobs.findIndex(({ mark }) => mark === claim.plan.mark)];
  return {
    ...claim,
    told: toldMore(claim.told, event),
    ids: id === undefined ? claim.ids : new Set([...claim.ids, id]),
  };
};

const chooseFrom = (
  before: readonly number[],
  value: number | undefined,
  event: Extract<Event, { kind: "edit" }>,
): readonly number[] => {
  if (value === undefined) return before;
  if (event.answer === null) return [...before, value];
  return isAccepted(event.answer) ? [value] : before;
};

const hearEdit = (claim: Claim, event: Extract<Event, { kind: "edit" }>): Claim => ({
  ...claim,
  variants: chooseFrom(claim.variants, event.patch.variant, event),
  priorities: chooseFrom(claim.priorities, event.patch.priority, event),
  gpuCounts: chooseFrom(claim.gpuCounts, event.patch.numGpus, event),
});

const NOT_FOUND = 404;

const hearRemoval = (claim: Claim, answer: Answer): Claim => ({
  ...claim,
  isBeingRemoved: false,
  isRemoved: claim.isRemoved || isAccepted(answer),
  mayBeRemoved: answer === null || (answer.status === NOT_FOUND && claim.mayBeRemoved),
});

const hear = (claim: Claim, event: Event): Claim => {
  switch (event.kind) {
    case "submit":
      return hearSubmit(claim, event);
    case "edit":
      return hearEdit(claim, event);
    case "removing":
      return { ...claim, isBeingRemoved: true };
    case "remove":
      return hearRemoval(claim, event.answer);
    case "kill":
      return {
        ...claim,
        mayBeKilled: claim.mayBeKilled || event.answer === null || isAccepted(event.answer),
      };
    case "release":
      return { ...claim, releasedAt: claim.releasedAt ?? event.askedAt };
    default:
      return claim;
  }
};

const listMarks = (event: Event): readonly string[] => {
  if (event.kind === "submit") return event.jobs.map(({ mark }) => mark);
  return "mark" in event ? [event.mark] : [];
};

const listPlans = (history: readonly Event[]): readonly JobPlan[] =>
  history.flatMap((event) => (event.kind === "submit" ? event.jobs : []));

const collectClaims = (history: readonly Event[]): ReadonlyMap<string, Claim> => {
  const claims = new Map(listPlans(history).map((plan) => [plan.mark, firstClaim(plan)]));
  for (const event of history) {
    for (const mark of listMarks(event)) {
      const claim = claims.get(mark);
      if (claim !== undefined) claims.set(mark, hear(claim, event));
    }
  }
  return claims;
};

const when = (isSo: boolean, finding: () => Finding): readonly Finding[] => (isSo ? [finding()] : []);

const describe = (job: StoredJob): string =>
  `${job.mark} (${job.id}, ${job.status}, exit code ${job.exitCode}, ${job.errorMessage ?? "no error"})`;

const checkPresence = (claim: Claim, stored: readonly StoredJob[]): readonly Finding[] => {
  const { plan, told, isRemoved, isBeingRemoved, mayBeRemoved, ids } = claim;
  const where = `${plan.mark}, ${told}, stored as ${stored.map(({ id }) => id).join(", ") || "nothing"}`;
  const isExpected = told === "accepted" && ![isRemoved, isBeingRemoved, mayBeRemoved].includes(true);
  return [
    ...when(stored.length === 0 && isExpected, () => `lost: ${where}`),
    ...when(stored.length > 1 || ids.size > 1, () => `twice: ${where}; told: ${[...ids].join(", ")}`),
    ...when(stored.length > 0 && told === "refused", () => `refused and stored: ${where}`),
    ...when(stored.length > 0 && isRemoved, () => `removed and stored: ${where}`),
    ...when(
      stored.some(({ id }) => ids.size > 0 && !ids.has(id)),
      () => `another id: ${where}; told: ${[...ids].join(", ")}`,
    ),
  ];
};

const isExpectedEnd = (claim: Claim, job: StoredJob): boolean => {
  const code = codeOf(claim.plan, job.variant);
  if (claim.plan.behaviour.kind === "limited")
    return job.status === "failed" && job.exitCode === null && job.errorMessage?.startsWith("Time limit") === true;
  if (job.status === "killed") return claim.mayBeKilled && (job.exitCode === null || job.exitCode === code);
  if (code === null) return false;
  return job.exitCode === code && job.status === (code === 0 ? "completed" : "failed");
};

const LIMIT_SLACK_S = 0.5;
const LONGEST_OVERRUN_S = 60;

const checkTimes = ({ plan, releasedAt }: Claim, job: StoredJob): readonly Finding[] => {
  const { startedAt, completedAt } = job;
  if (startedAt === null || completedAt === null) return [];
  const limitS = plan.behaviour.kind === "limited" ? plan.behaviour.limitS : null;
  const over = limitS === null ? 0 : completedAt - startedAt - limitS;
  return [
    ...when(startedAt < (releasedAt ?? Number.POSITIVE_INFINITY), () => `started while held: ${describe(job)}`),
    ...when(over < -LIMIT_SLACK_S, () => `ended before its limit: ${describe(job)}, by ${-over} s`),
    ...when(over > LONGEST_OVERRUN_S, () => `ran over its limit: ${describe(job)}, by ${over} s`),
  ];
};

const checkEnd = (claim: Claim, job: StoredJob): readonly Finding[] => {
  if (!ENDED.includes(job.status)) return [`never ended: ${describe(job)}`];
  const expected = codeOf(claim.plan, job.variant);
  return [
    ...when(!isExpectedEnd(claim, job), () => `wrong end: ${describe(job)}, expected code ${expected}`),
    ...when(job.hasEnvironment, () => `environment kept: ${describe(job)}`),
  ];
};

const checkEdits = (claim: Claim, job: StoredJob): readonly Finding[] => [
  ...when(!claim.variants.includes(job.variant), () => `edit lost: ${describe(job)}, command ${job.variant}`),
  ...when(!claim.priorities.includes(job.priority), () => `edit lost: ${describe(job)}, priority ${job.priority}`),
  ...when(!claim.gpuCounts.includes(job.numGpus), () => `edit lost: ${describe(job)}, GPUs ${job.numGpus}`),
];

const checkRun = (claim: Claim, job: StoredJob, lines: readonly WitnessLine[]): readonly Finding[] => {
  const start = lines.findLast((line): line is Start => line.kind === "start");
  const end = lines.findLast((line): line is End => line.kind === "end");
  if (start === undefined) return when(job.status !== "killed", () => `ended and never ran: ${describe(job)}`);
  const isNamed = claim.plan.gpuIdxs.every((index) => job.gpuIdxs.includes(index));
  const isSuccess = job.status !== "killed" && codeOf(claim.plan, job.variant) !== null;
  return [
    ...when(claim.plan.behaviour.kind === "trap" && end === undefined, () => `TERM lost: ${describe(job)}`),
    ...when(start.id !== job.id, () => `ran as ${start.id}: ${describe(job)}`),
    ...when(start.variant !== job.variant, () => `ran command ${start.variant}: ${describe(job)}`),
    ...when(start.gpus !== job.gpuIdxs.join(","), () => `wrong GPU: ${describe(job)} saw "${start.gpus}"`),
    ...when(job.gpuIdxs.length !== job.numGpus || !isNamed, () => `wrong GPUs: ${describe(job)} got ${job.gpuIdxs}`),
    ...when(isSuccess && end?.code !== job.exitCode, () => `wrong code: ${describe(job)} wrote ${end?.code}`),
  ];
};

const countAttempts = ({ behaviour }: JobPlan, starts: readonly Start[]): number =>
  behaviour.kind === "tried" ? new Set(starts.map(({ attempt }) => attempt)).size : 1;

const checkWitness = (claim: Claim, lines: readonly WitnessLine[]): readonly Finding[] => {
  const { mark } = claim.plan;
  const starts = lines.filter((line): line is Start => line.kind === "start");
  return [
    ...when(starts.length > countAttempts(claim.plan, starts), () => `ran twice: ${mark}, ${starts.length} times`),
    ...when(starts.length > 0 && claim.isRemoved, () => `removed and ran: ${mark}`),
    ...when(starts.length > 0 && claim.told === "refused", () => `refused and ran: ${mark}`),
    ...when(lines.filter(({ kind }) => kind === "warned").length > 1, () => `warned twice: ${mark}`),
    ...lines.flatMap((line) => when(line.kind === "clash", () => `two on one GPU: ${JSON.stringify(line)}`)),
    ...lines.flatMap((line) => when(line.kind === "leak", () => `variables of the server: ${JSON.stringify(line)}`)),
  ];
};

type Interval = Readonly<{ mark: string; gpu: string; from: number; to: number; vramMib: number | null }>;

const toIntervals = (mark: string, lines: readonly WitnessLine[], vramMib: number | null): readonly Interval[] => {
  const starts = lines.filter((line): line is Start => line.kind === "start" && line.gpus !== "");
  const ends = lines.filter((line): line is End => line.kind === "end");
  return starts.flatMap(({ gpus, at: from }, index) => {
    const to = ends[index]?.at;
    return to === undefined ? [] : gpus.split(",").map((gpu) => ({ mark, gpu, from, to, vramMib }));
  });
};

const SPARED_MIB = 512;

type Booking = Readonly<{ mark: string; vramMib: number | null }>;

const checkTogether = (gpu: string, here: readonly Booking[]): readonly Finding[] => {
  const names = here.map(({ mark }) => mark).join(" and ");
  const booked = here.reduce((sum, { vramMib }) => sum + (vramMib ?? 0), 0);
  const isAlone = here.some(({ vramMib }) => vramMib === null);
  return [
    ...when(isAlone && here.length > 1, () => `two on one GPU: ${names} on ${gpu}`),
    ...when(booked > memoryOf(Number(gpu)) - SPARED_MIB, () => `too much booked: ${booked} MiB on ${gpu} by ${names}`),
  ];
};

const checkOverlaps = (
  claims: ReadonlyMap<string, Claim>,
  witness: ReadonlyMap<string, readonly WitnessLine[]>,
): readonly Finding[] => {
  const all = [...witness].flatMap(([mark, lines]) => toIntervals(mark, lines, claims.get(mark)?.plan.vramMib ?? null));
  return [...Map.groupBy(all, ({ gpu }) => gpu)].flatMap(([gpu, here]) =>
    here.flatMap((next) =>
      checkTogether(gpu, [next, ...here.filter((one) => one !== next && one.from <= next.from && one.to > next.from)]),
    ),
  );
};

const checkBookings = (stored: readonly StoredJob[]): readonly Finding[] => {
  const active = stored.filter(({ status }) => status === "starting" || status === "running");
  const places = active.flatMap((job) => job.gpuIdxs.map((gpu) => ({ ...job, gpu: String(gpu) })));
  return [...Map.groupBy(places, ({ gpu }) => gpu)].flatMap(([gpu, here]) => checkTogether(gpu, here));
};

const sameJob = (a: StoredJob, b: StoredJob | undefined): boolean =>
  b !== undefined &&
  [a.status, a.exitCode, a.mark, a.variant, a.priority].join() ===
    [b.status, b.exitCode, b.mark, b.variant, b.priority].join();

const checkAgreement = ({ api, database }: Evidence): readonly Finding[] => {
  const byId = new Map(api.map((job) => [job.id, job]));
  const differing = database.filter((job) => !sameJob(job, byId.get(job.id)));
  return [
    ...when(
      api.length !== database.length || byId.size !== api.length,
      () => `API and database differ: ${api.length} and ${database.length} jobs, ${byId.size} ids`,
    ),
    ...differing.map((job) => `API and database differ: ${describe(job)}`),
  ];
};

const checkCounters = ({ database, counters }: Evidence): readonly Finding[] =>
  Object.entries(counters).flatMap(([status, count]) => {
    const real = database.filter((job) => job.status === status).length;
    return when(real !== count, () => `wrong counter: ${status} ${count}, really ${real}`);
  });

const checkExitFiles = ({ database, exitFiles }: Evidence): readonly Finding[] =>
  database.flatMap((job) => {
    const file = exitFiles[job.id];
    const isWrong = job.exitCode !== null && file !== String(job.exitCode);
    return when(isWrong, () => `wrong exit_code file: ${describe(job)} has ${file ?? "none"}`);
  });

const PLACES = [["repo/made/in-repo", "outputs/made/in-repo"], ["outputs/own"], ["repo/own", "outputs/own~1"]];

const describeMade = (mark: string, files: readonly string[]): string => `${mark} has ${files.join(", ") || "nothing"}`;

/** What must hold at every moment, however the server died: each file that a job made is in one place, whole. */
export const checkMade = (made: Evidence["made"]): readonly Finding[] =>
  Object.entries(made).flatMap(([mark, files]) =>
    PLACES.flatMap((places) => {
      const found = files.filter((file) => places.some((place) => file === `${place} ${mark}`));
      return when(
        found.length !== 1,
        () => `in ${found.length} places: ${places.join(" or ")}; ${describeMade(mark, files)}`,
      );
    }),
  );

const checkKept = ({ made }: Evidence): readonly Finding[] => [
  ...checkMade(made),
  ...Object.entries(made).flatMap(([mark, files]) =>
    when(
      files.some((file) => file.startsWith("repo/")),
      () => `not kept: ${describeMade(mark, files)}`,
    ),
  ),
];

const EXPECTED: Readonly<Partial<Record<Event["kind"], readonly number[]>>> = {
  submit: [200, 201, UNAVAILABLE],
  edit: [200, 400, UNAVAILABLE],
  remove: [204, 400, 404, UNAVAILABLE],
  kill: [204, 400, UNAVAILABLE],
  release: [200, 400, UNAVAILABLE],
  drain: [200, UNAVAILABLE],
  upload: [201, UNAVAILABLE],
  blacklist: [200, UNAVAILABLE],
};

const isShortage = (event: Event, { status, body }: NonNullable<Answer>): boolean =>
  event.kind === "submit" &&
  event.jobs.some(({ runNow }) => runNow) &&
  status === SERVER_ERROR &&
  JSON.stringify(body).includes("GPU_ERROR");

const isOdd = (event: Event): boolean => {
  if (!("answer" in event) || event.answer === null) return false;
  const isExpected = EXPECTED[event.kind]?.includes(event.answer.status) === true;
  return !isExpected && !isShortage(event, event.answer);
};

const checkAnswers = (history: readonly Event[]): readonly Finding[] =>
  history.filter(isOdd).map((event) => `odd answer: ${JSON.stringify(event)}`);

const checkBlacklist = (history: readonly Event[], { blacklist }: Evidence): readonly Finding[] => {
  const gpus = new Map<number, readonly boolean[]>();
  for (const event of history) {
    if (event.kind !== "blacklist") continue;
    const before = gpus.get(event.gpu) ?? [false];
    gpus.set(event.gpu, event.answer === null ? [...before, event.isListed] : [event.isListed]);
  }
  return [...gpus].flatMap(([gpu, states]) =>
    when(!states.includes(blacklist.includes(gpu)), () => `blacklist lost: GPU ${gpu}`),
  );
};

const checkJob = (claim: Claim, job: StoredJob, lines: readonly WitnessLine[]): readonly Finding[] => [
  ...checkEnd(claim, job),
  ...checkTimes(claim, job),
  ...checkRun(claim, job, lines),
];

const checkClaim = (
  claim: Claim,
  stored: readonly StoredJob[],
  { lines, byId }: Readonly<{ lines: readonly WitnessLine[]; byId: ReadonlyMap<string, StoredJob> }>,
): readonly Finding[] => [
  ...checkPresence(claim, stored),
  ...checkWitness(claim, lines),
  ...stored.flatMap((job) => [
    ...checkEdits(claim, job),
    ...checkNeeds(claim.plan, job, { lines, byId }),
    ...(isAbandoned(claim.plan, byId) ? [] : checkJob(claim, job, lines)),
  ]),
];

/** Compares what clients were told with what is stored, what each job wrote, and what is left. Empty if all is well. */
export const findFindings = (history: readonly Event[], evidence: Evidence): readonly Finding[] => {
  const claims = collectClaims(history);
  const stored = Map.groupBy(evidence.database, ({ mark }) => mark);
  const witness = Map.groupBy(evidence.witness, ({ mark }) => mark);
  const byId = new Map(evidence.database.map((job) => [job.id, job]));
  const strangers = [...stored.keys(), ...witness.keys()].filter((mark) => !claims.has(mark));
  return [
    ...[...claims.values()].flatMap((claim) =>
      checkClaim(claim, stored.get(claim.plan.mark) ?? [], { lines: witness.get(claim.plan.mark) ?? [], byId }),
    ),
    ...strangers.map((mark) => `nobody submitted: ${mark}`),
    ...checkOverlaps(claims, witness),
    ...checkBatches(history, { stored, witness }),
    ...checkDrains(history, evidence.database),
    ...checkAgreement(evidence),
    ...checkCounters(evidence),
    ...checkExitFiles(evidence),
    ...checkKept(evidence),
    ...checkAnswers(history),
    ...checkBlacklist(history, evidence),
    ...evidence.leftovers.map((what) => `left over: ${what}`),
  ];
};

const checkEarlyPresence = (claim: Claim, stored: readonly StoredJob[]): readonly Finding[] =>
  checkPresence(claim, stored).filter((finding) => !finding.startsWith("refused"));

/** What must hold at every moment, and so after every restart: accepted is there, removed is not, ended stays ended. */
export const findEarlyFindings = (
  history: readonly Event[],
  before: readonly StoredJob[],
  now: readonly StoredJob[],
): readonly Finding[] => {
  const claims = collectClaims(history);
  const stored = Map.groupBy(now, ({ mark }) => mark);
  const byId = new Map(now.map((job) => [job.id, job]));
  const revived = before.filter((job) => ENDED.includes(job.status) && !sameJob(job, byId.get(job.id)));
  return [
    ...[...claims.values()].flatMap((claim) => checkEarlyPresence(claim, stored.get(claim.plan.mark) ?? [])),
    ...checkBookings(now),
    ...revived.map((job) => `ended and changed: ${describe(job)}`),
  ];
};
