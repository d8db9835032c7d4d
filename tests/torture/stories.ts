import { type Behaviour, drawBehaviour, drawEndless, drawNeeds, type JobPlan } from "./jobs.ts";
import type { Random } from "./random.ts";

export type Patch = Readonly<{ variant?: number; priority?: number; numGpus?: number }>;

/** A tar with a file `payload` that holds `content`, and one of `paddingBytes`; `isCut` hangs up half-way. */
export type UploadPlan = Readonly<{ content: string; paddingBytes: number; isCut: boolean }>;

/** A few requests that belong together, sent one after the other by one client. Of a `chain` each job but the first waits for those before it; the first is killed where `killsAfterMs` says when. */
export type Story =
  | Readonly<{ kind: "submit"; job: JobPlan; isRepeated: boolean }>
  | Readonly<{ kind: "batch"; jobs: readonly JobPlan[]; max: number | null }>
  | Readonly<{ kind: "chain"; jobs: readonly JobPlan[]; killsAfterMs: number | null }>
  | Readonly<{ kind: "hold"; job: JobPlan }>
  | Readonly<{ kind: "drain"; lastsMs: number }>
  | Readonly<{ kind: "edit"; job: JobPlan; patches: readonly Patch[]; isRemoved: boolean }>
  | Readonly<{ kind: "remove"; job: JobPlan; successor: JobPlan | null }>
  | Readonly<{ kind: "kill"; job: JobPlan; delayMs: number }>
  | Readonly<{ kind: "artifact"; jobs: readonly JobPlan[]; upload: UploadPlan }>
  | Readonly<{ kind: "blacklist"; gpu: number; isListed: boolean }>;

export type StoryOptions = Readonly<{ client: number; run: string; gpus: number; mayResist: boolean }>;

const LOW_PRIORITY = -100;
const SMALL_PADDING = 5000;
const LARGEST_PADDING = 1_200_000;

const drawJob = (
  random: Random,
  { run, gpus, client }: StoryOptions,
  number: string,
  behaviour: Behaviour,
): JobPlan => ({
  mark: `m${client}-${number}`,
  jobId: random.chance(0.5) ? `${run}-${client}-${number}` : null,
  behaviour,
  ...drawNeeds(random, gpus),
  priority: random.integer(-20, 20),
  runNow: random.chance(0.05),
});

const drawPatch = (random: Random, variant: number): Patch => ({
  ...(random.chance(0.6) ? { variant } : {}),
  ...(random.chance(0.6) ? { priority: random.integer(-99, -50) } : {}),
  ...(random.chance(0.3) ? { numGpus: random.integer(0, 2) } : {}),
});

const asEditable = ({ vramMib: _, ...job }: JobPlan): JobPlan => ({
  ...job,
  behaviour: { kind: "exit", code: 0, sleepMs: 20 },
  numGpus: 1,
  gpuIdxs: [],
  priority: LOW_PRIORITY,
  runNow: false,
});

const asRemovable = (job: JobPlan, run: string): JobPlan => ({
  ...asEditable(job),
  jobId: job.jobId ?? `${run}-${job.mark}`,
});

const asArtifactJob = (job: JobPlan, content: string, code: number): JobPlan => ({
  ...job,
  behaviour: { kind: "artifact", code, content },
  runNow: false,
});

const KINDS = [
  "submit",
  ...(["submit", "submit", "batch", "batch", "edit", "edit", "remove", "remove"] as const),
  ...(["kill", "kill", "artifact", "chain", "chain", "hold"] as const),
] as const;

type Draw = Readonly<{ random: Random; options: StoryOptions; number: number; job: (suffix?: string) => JobPlan }>;

const repeat = <Value>(count: number, make: (index: number) => Value): readonly Value[] =>
  Array.from({ length: count }, (_, index) => make(index));

const drawArtifact = ({ random, options, number, job }: Draw): Story => {
  const content = `m${options.client}-${number}`;
  const paddingBytes = random.integer(0, random.chance(0.3) ? LARGEST_PADDING : SMALL_PADDING);
  const isCut = random.chance(0.15);
  const jobs = repeat(isCut ? 0 : random.integer(0, 2), (index) =>
    asArtifactJob(job(`-${index}`), content, random.integer(0, 39)),
  );
  return { kind: "artifact", jobs, upload: { content, paddingBytes, isCut } };
};

const drawRemoval = ({ random, options, job }: Draw): Story => {
  const first = asRemovable(job(), options.run);
  return {
    kind: "remove",
    job: first,
    successor: random.chance(0.4) ? { ...first, mark: `${first.mark}-again` } : null,
  };
};

const drawKill = ({ random, options, number }: Draw): Story => {
  const job = drawJob(random, options, String(number), drawEndless(random, options.mayResist));
  return { kind: "kill", job: { ...job, runNow: false }, delayMs: random.chance(0.5) ? 0 : random.integer(1, 300) };
};

const drawChain = ({ random, options, number, job }: Draw): Story => {
  const isKilled = random.chance(0.3);
  const behaviour = isKilled ? drawEndless(random, options.mayResist) : drawBehaviour(random);
  const links = repeat(random.integer(2, 4), (index) => {
    const link = index === 0 ? drawJob(random, options, `${number}-0`, behaviour) : job(`-${index}`);
    return { ...link, jobId: `${options.run}-${link.mark}`, runNow: false };
  });
  const jobs = links.map((link, index): JobPlan => {
    const before = links.slice(0, index).map(({ jobId }) => jobId);
    const [all, last] = [before, before.slice(-1)];
    if (random.chance(0.3)) return { ...link, afterAny: all };
    return { ...link, after: random.chance(0.5) ? all : last };
  });
  return { kind: "chain", jobs, killsAfterMs: isKilled ? random.integer(0, 200) : null };
};

const DRAWERS: Readonly<Record<(typeof KINDS)[number], (draw: Draw) => Story>> = {
  submit: ({ random, job }) => ({ kind: "submit", job: job(), isRepeated: random.chance(0.3) }),
  batch: ({ random, job }) => ({
    kind: "batch",
    jobs: repeat(random.integer(2, 12), (index) => ({ ...job(`-${index}`), runNow: false })),
    max: random.chance(0.5) ? random.integer(1, 3) : null,
  }),
  edit: ({ random, job }) => ({
    kind: "edit",
    job: asEditable(job()),
    patches: repeat(random.integer(1, 3), (index) => drawPatch(random, index + 1)),
    isRemoved: random.chance(0.2),
  }),
  remove: drawRemoval,
  kill: drawKill,
  artifact: drawArtifact,
  chain: drawChain,
  hold: ({ job }) => ({ kind: "hold", job: { ...job(), runNow: false, isHeld: true } }),
};

const drawStory = (random: Random, options: StoryOptions, number: number): Story =>
  DRAWERS[random.pick(KINDS)]({
    random,
    options,
    number,
    job: (suffix = "") => drawJob(random, options, `${number}${suffix}`, drawBehaviour(random)),
  });

/** The stories of one client, for ever; the same ones for the same seed and options. */
export const drawStories = function* (random: Random, options: StoryOptions): Generator<Story> {
  for (let number = 0; ; number += 1) {
    const place = options.client === 0 ? number % 20 : null;
    if (place === 19) yield { kind: "blacklist", gpu: options.gpus - 1, isListed: number % 40 === 19 };
    else if (place === 9) yield { kind: "drain", lastsMs: random.integer(0, 500) };
    else yield drawStory(random, options, number);
  }
};
