/** A job as the API tells it or the database holds it. `mark` and `variant` are read from its command. */
export type StoredJob = Readonly<{
  id: string;
  mark: string;
  variant: number;
  status: string;
  exitCode: number | null;
  errorMessage: string | null;
  priority: number;
  numGpus: number;
  gpuIdxs: readonly number[];
  hasEnvironment: boolean;
  startedAt: number | null;
  completedAt: number | null;
  vramMib: number | null;
}>;

/** What a job itself wrote down, in the order in which it came. Times in seconds. */
export type WitnessLine =
  | Readonly<{ kind: "start"; mark: string; variant: number; id: string; gpus: string; at: number; attempt?: number }>
  | Readonly<{ kind: "end"; mark: string; code: number; at: number }>
  | Readonly<{ kind: "warned"; mark: string }>
  | Readonly<{ kind: "clash"; mark: string; gpu: string }>
  | Readonly<{ kind: "leak"; mark: string; names: string }>;

/** What is there once every job has ended: the store, the witness, and what should have gone. `made` are the files of each job as `outputs/own m1`: where one is, and what is in it. */
export type Evidence = Readonly<{
  api: readonly StoredJob[];
  database: readonly StoredJob[];
  counters: Readonly<Record<string, number>>;
  blacklist: readonly number[];
  witness: readonly WitnessLine[];
  exitFiles: Readonly<Record<string, string>>;
  made: Readonly<Record<string, readonly string[]>>;
  leftovers: readonly string[];
}>;
