import fc from "fast-check";

const GIB = 1024;
const GPUS = 3;
const LONGEST_WAIT_S = 900;

/** What is asked of the server, or happens on its machine; `which` counts the jobs there have been. */
export type Act =
  | Readonly<{ kind: "submit"; jobs: readonly Asked[] }>
  | Readonly<{ kind: "hold" | "release" | "remove" | "kill" | "lose" | "end" | "fail"; which: number }>
  | Readonly<{ kind: "move"; which: number; priority: number }>
  | Readonly<{ kind: "begin"; which: number; inS: number | null }>
  | Readonly<{ kind: "drain"; forS: number | null }>
  | Readonly<{ kind: "resume" }>
  | Readonly<{ kind: "gpu"; index: number; is: GpuFate }>
  | Readonly<{ kind: "reserve"; index: number; user: string; inS: number; forS: number }>
  | Readonly<{ kind: "use"; which: number; mib: number | null }>
  | Readonly<{ kind: "pass"; seconds: number }>;

export type GpuFate = "well" | "lost" | "foreign" | "blacklisted";

/** What one job asks for; `after` count the jobs there have been. */
export type Asked = Readonly<{
  user: string;
  numGpus: number;
  gpuIdxs: readonly number[];
  vramMib: number | null;
  minVramMib: number | null;
  gpuType: string | null;
  priority: number;
  isHeld: boolean;
  beginInS: number | null;
  after: readonly number[];
  afterAny: readonly number[];
  retries: number;
  timeLimitS: number | null;
  noPassing: boolean;
  batchMax: number | null;
  cpus: number | null;
  memoryMib: number | null;
}>;

const which = fc.nat(30);
const rarely = <Value>(arbitrary: fc.Arbitrary<Value>): fc.Arbitrary<Value | null> =>
  fc.oneof({ weight: 5, arbitrary: fc.constant(null) }, { weight: 1, arbitrary });
const few = fc.oneof(
  { weight: 4, arbitrary: fc.constant<readonly number[]>([]) },
  { weight: 1, arbitrary: fc.uniqueArray(which, { minLength: 1, maxLength: 2 }) },
);
const vram = fc.constantFrom(1, 4, 7, 11, 15).map((gib) => gib * GIB);

const onGpus = fc.oneof(
  { weight: 3, arbitrary: fc.constant({ numGpus: 0, gpuIdxs: [] }) },
  { weight: 5, arbitrary: fc.integer({ min: 1, max: GPUS }).map((numGpus) => ({ numGpus, gpuIdxs: [] })) },
  { weight: 1, arbitrary: fc.nat(GPUS - 1).map((index) => ({ numGpus: 1, gpuIdxs: [index] })) },
);

const ANY = { vramMib: null, minVramMib: null, gpuType: null };
const kind = fc.oneof(
  { weight: 3, arbitrary: vram.map((vramMib) => ({ ...ANY, vramMib })) },
  { weight: 3, arbitrary: fc.constant(ANY) },
  { weight: 1, arbitrary: fc.constant({ ...ANY, minVramMib: 20 * GIB }) },
  { weight: 1, arbitrary: fc.constant({ ...ANY, gpuType: "a100" }) },
);

const asked: fc.Arbitrary<Asked> = fc
  .tuple(
    onGpus,
    kind,
    fc.record({
      user: fc.constantFrom("ann", "ann", "bob", "cy"),
      priority: fc.integer({ min: -1, max: 1 }),
      isHeld: rarely(fc.constant(true)).map((is) => is ?? false),
      beginInS: rarely(fc.integer({ min: -100, max: LONGEST_WAIT_S })),
      after: few,
      afterAny: few,
      retries: fc.constantFrom(0, 0, 1, 2),
      timeLimitS: rarely(fc.integer({ min: 1, max: LONGEST_WAIT_S })),
      noPassing: rarely(fc.constant(true)).map((is) => is ?? false),
      batchMax: fc.option(fc.integer({ min: 1, max: 2 })),
      cpus: rarely(fc.integer({ min: 1, max: 5 })),
      memoryMib: rarely(vram),
    }),
  )
  .map(([gpus, own, rest]) => ({ ...gpus, ...(gpus.numGpus === 0 ? ANY : own), ...rest }));

const act: fc.Arbitrary<Act> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant("submit" as const),
      jobs: fc.array(asked, { minLength: 1, maxLength: 3 }),
    }),
  },
  {
    weight: 12,
    arbitrary: fc.record({
      kind: fc.constantFrom("hold", "release", "remove", "kill", "lose", "end", "end", "end", "end", "fail", "fail"),
      which,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant("move" as const), which, priority: fc.integer({ min: -2, max: 2 }) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant("begin" as const), which, inS: fc.option(fc.nat(LONGEST_WAIT_S)) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("drain" as const), forS: fc.option(fc.nat(LONGEST_WAIT_S)) }) },
  { weight: 2, arbitrary: fc.constant<Act>({ kind: "resume" }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant("gpu" as const),
      index: fc.nat(GPUS - 1),
      is: fc.constantFrom<GpuFate>("well", "well", "well", "lost", "foreign", "blacklisted"),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant("use" as const), which, mib: fc.option(fc.nat(16 * GIB)) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("reserve" as const),
      index: fc.nat(GPUS - 1),
      user: fc.constantFrom("ann", "bob"),
      inS: fc.nat(LONGEST_WAIT_S),
      forS: fc.integer({ min: 1, max: LONGEST_WAIT_S }),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({ kind: fc.constant("pass" as const), seconds: fc.integer({ min: 1, max: LONGEST_WAIT_S }) }),
  },
);

/** What happens to a server one after the other. */
export const histories = fc.array(act, { minLength: 1, maxLength: 60, size: "max" });

export const GPU_SIZES: readonly number[] = [16 * GIB, 16 * GIB, 24 * GIB];
