import { chmodSync, mkdtempSync, readFileSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isTest, parseSource, type SourceFile } from "../house/source-file.ts";
import { type Break, describeBreak, listBreaks, locateBreak, shuffleBreaks } from "./breaks.ts";
import { type Bench, createJudge, type Verdict } from "./judge.ts";
import { createTestChoice } from "./test-choice.ts";
import { findRefused } from "./types.ts";
import { createWorkplace, listFiles, type Workplace } from "./workplace.ts";

/** `areas` are folders or files below `src` or `src/server`, of a file also one line: `core/clock.ts:3`. None are all. */
export type MutantOptions = Readonly<{
  root: string;
  seed: number;
  count: number;
  areas: readonly string[];
  atOnce: number;
  budgetMs: number;
}>;

export type Mutant = Readonly<{ place: string; kind: string; diff: string; verdict: Verdict }>;

/** `refused` counts what was drawn and does not fit the types: it is run by no test. */
export type Summary = Readonly<{ mutants: readonly Mutant[]; refused: number; useless: readonly string[] }>;

type Say = (line: string) => void;

const readSources = (root: string): readonly SourceFile[] =>
  listFiles(root)
    .filter((path) => /^(src|tests)\/.*\.ts$/.test(path))
    .map((path) => parseSource(path, readFileSync(join(root, path), "utf8")));

const isIn = (area: string, place: string): boolean =>
  ["", "src/", "src/server/"].some((above) => {
    const start = `${above}${area.replace(/\/$/, "")}`;
    return place.startsWith(start) && ["/", ":", undefined].includes(place[start.length]);
  });

/** The breaks of the areas given, of all if none is, in the order in which they are drawn. */
export const listCandidates = (
  files: readonly SourceFile[],
  { areas, seed }: Pick<MutantOptions, "areas" | "seed">,
): readonly Break[] => {
  const sources = files.filter(({ path }) => path.startsWith("src/") && !isTest(path));
  const all = sources.flatMap((file) => listBreaks(file).map((one) => ({ one, place: locateBreak(one, file.text) })));
  const empty = areas.find((area) => !all.some(({ place }) => isIn(area, place)));
  if (empty !== undefined) throw new Error(`nothing can be broken in ${empty}: name a folder or a file of src`);
  const wanted = areas.length === 0 ? all : all.filter(({ place }) => areas.some((area) => isIn(area, place)));
  return shuffleBreaks(
    wanted.map(({ one }) => one),
    seed,
  );
};

const drawBreaks = async (
  candidates: readonly Break[],
  count: number,
  place: Workplace,
): Promise<Readonly<{ drawn: readonly Break[]; refused: number }>> => {
  const drawn: Break[] = [];
  let tried = 0;
  while (drawn.length < count && tried < candidates.length) {
    const batch = candidates.slice(tried, tried + count - drawn.length);
    const refused = await findRefused(batch, place);
    drawn.push(...batch.filter((one) => !refused.has(one)));
    tried += batch.length;
  }
  return { drawn, refused: tried - drawn.length };
};

const openBenches = (root: string, count: number): Readonly<{ benches: readonly Bench[]; dispose: () => void }> => {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "nexus-")));
  chmodSync(folder, 0o755);
  const places: Workplace[] = [];
  const open = (name: string): Workplace => {
    const place = createWorkplace(root, join(folder, name));
    places.push(place);
    return place;
  };
  const dispose = (): void => {
    for (const place of places) place.dispose();
    rmSync(folder, { recursive: true, force: true });
  };
  const benches = Array.from({ length: count }, (_, index) => ({
    whole: open(`w${index}`),
    broken: open(`b${index}`),
  }));
  return { benches, dispose };
};

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

const disposeAtSignals = (dispose: () => void): (() => void) => {
  const stop = (): void => {
    dispose();
    process.exit(130);
  };
  for (const signal of SIGNALS) process.on(signal, stop);
  return () => void SIGNALS.map((signal) => process.off(signal, stop));
};

const describeVerdict = (verdict: Verdict): string =>
  verdict.kind === "survived" ? `survived, ${verdict.passed} test files pass` : `${verdict.kind} by ${verdict.by}`;

const judgeAll = async (
  {
    benches,
    files,
    drawn,
  }: Readonly<{ benches: readonly Bench[]; files: readonly SourceFile[]; drawn: readonly Break[] }>,
  budgetMs: number,
  say: Say,
): Promise<Pick<Summary, "mutants" | "useless">> => {
  const texts = new Map(files.map(({ path, text }) => [path, text]));
  const chooseTests = createTestChoice(files);
  const useless = new Set<string>();
  const judge = createJudge(budgetMs, (test) => void useless.add(test));
  const mutants: Mutant[] = [];
  const queue = drawn.values();
  const work = async (bench: Bench): Promise<void> => {
    for (const one of queue) {
      const verdict = await judge(one, chooseTests(one.path), bench);
      const text = texts.get(one.path) ?? "";
      const place = locateBreak(one, text);
      const diff = describeBreak(one, text);
      mutants.push({ place, kind: one.kind, diff, verdict });
      say(`${mutants.length}/${drawn.length} ${place} ${one.kind}: ${describeVerdict(verdict)}`);
      if (verdict.kind === "survived") say(diff);
    }
  };
  await Promise.all(benches.map(work));
  return { mutants, useless: [...useless] };
};

/** Breaks copies of the tree at `root`, which itself stays as it is, and tells what its tests say of each break. */
export const runMutants = async (options: MutantOptions, say: Say): Promise<Summary> => {
  const files = readSources(options.root);
  const candidates = listCandidates(files, options);
  const { benches, dispose } = openBenches(options.root, options.atOnce);
  const endSignals = disposeAtSignals(dispose);
  try {
    const [first] = benches;
    if (first === undefined) return { mutants: [], refused: 0, useless: [] };
    const { drawn, refused } = await drawBreaks(candidates, options.count, first.whole);
    say(`${candidates.length} breaks are possible; ${drawn.length} are tried, ${refused} more the types refuse`);
    return { ...(await judgeAll({ benches, files, drawn }, options.budgetMs, say)), refused };
  } finally {
    endSignals();
    dispose();
  }
};
