import { describe, expect, test } from "bun:test";
import type { Verb } from "../command-line/command.ts";
import { loadVerbs } from "../command-line/help.ts";
import { parseWords } from "../command-line/parse-words.ts";
import { runProgram } from "../command-line/run-program.ts";
import { FOREIGN_WORDS } from "./foreign-words.ts";
import { NX } from "./program.ts";

const verbs = await loadVerbs(NX);

const findVerb = (name: string): Verb => {
  const verb = verbs.find((one) => one.name === name);
  if (verb === undefined) throw new Error(`${name} is no verb`);
  return verb;
};

const refuse = async (...words: readonly string[]): Promise<unknown> => {
  const outcome = await runProgram(words, NX);
  return outcome.ok ? outcome.value : outcome.error;
};

const adviseFlag = (verb: string, ...words: readonly string[]): unknown => {
  const parsed = parseWords(words, findVerb(verb), NX);
  return parsed.ok ? parsed.value : parsed.error.hint;
};

const EVERYWHERE = NX.flags.map(({ long }) => long);

const MENTION = /\bnx ([a-z]+)(?: [A-Z]+)?( -[a-zA-Z]| --[a-z-]+)?/g;
const PLAIN = ["shows", "is"];

describe("a verb of another program", () => {
  test.each([
    ["stop", "nx kill ends a running job, nx remove takes one out of the queue, nx cancel does both"],
    ["scancel", "nx kill ends a running job, nx remove takes one out of the queue, nx cancel does both"],
    ["rm", "nx remove takes a job out of the queue, nx kill ends a running one"],
    ["ls", "nx shows GPUs and jobs, nx queue those that wait, nx running those that run"],
    ["ps", "nx shows GPUs and jobs, nx queue those that wait, nx running those that run"],
    ["rerun", "nx redo adds a job again"],
    ["pause", "nx hold keeps queued jobs from starting, what runs goes on"],
    ["unhold", "nx release lets held jobs start"],
  ])("nx %s is not done, and leads to the right one", async (word, hint) => {
    const refusal = { exitCode: 2, message: `"${word}" is not a verb of nx`, hint };
    for (const words of [[word], [word, "k3f9ab"], ["-t", "lab", word], ["help", word], [word, "--help"]])
      expect(await refuse(...words)).toEqual(refusal);
  });

  test.each([
    ["cancle", "did you mean cancel?"],
    ["stpo", "nx kill ends a running job, nx remove takes one out of the queue, nx cancel does both"],
    ["rerunn", "nx redo adds a job again"],
    ["lsit", "nx shows GPUs and jobs, nx queue those that wait, nx running those that run"],
    ["downlaod", "nx pull fetches what a job made, nx files lists it"],
    ["stat", "nx get tells all about a job, nx why why it waits"],
    ["sta", "did you mean status?"],
    ["st", "did you mean status?"],
    ["rn", "did you mean run?"],
    ["kil", "did you mean kill?"],
    ["histroy", "did you mean history?"],
    ["toString", "see nx help"],
  ])("misspelt, and one of its own, leads to what is nearest: nx %s", async (word, hint) => {
    const refusal = { exitCode: 2, message: `"${word}" is not a verb of nx`, hint };
    for (const words of [[word], ["help", word]]) expect(await refuse(...words)).toEqual(refusal);
  });

  const misspell = (word: string): readonly string[] =>
    [...word].flatMap((letter, at) => {
      const [start, end] = [word.slice(0, at), word.slice(at + 1)];
      return [start + end, start + letter + letter + end, start + end.slice(0, 1) + letter + end.slice(1)];
    });

  const known = [...Object.keys(NX.verbs), "help"];
  const foreign = Object.keys(FOREIGN_WORDS.verbs);
  const isSafe = (word: string): boolean => word.length > 2 && !known.includes(word);

  test("with one letter missing, twice, or in the wrong place leads somewhere, however it is spelt", async () => {
    for (const word of foreign.filter(isSafe).flatMap(misspell).filter(isSafe))
      expect(await refuse(word)).toMatchObject({ hint: expect.not.stringContaining("see nx help") });
  });

  test("does not stand in the way of nx's own, misspelt in the same ways", async () => {
    const words = known.flatMap(misspell).filter((word) => isSafe(word) && !foreign.includes(word));
    for (const word of words)
      expect(await refuse(word)).toMatchObject({ hint: expect.stringMatching(/^did you mean/) });
  });

  test("of Slurm, task-spooler, pueue and gflow is known", () => {
    const usual = [
      ..."sbatch squeue scancel sinfo srun salloc sacct scontrol sattach tsp gbatch gqueue gcancel".split(" "),
      ..."enqueue list delete tail cat info show retry restart abort log follow clean pause start".split(" "),
    ];
    const own = Object.keys(NX.verbs);
    expect(usual.filter((word) => word !== "log" && !(word in FOREIGN_WORDS.verbs))).toEqual([]);
    expect(Object.keys(FOREIGN_WORDS.verbs).filter((word) => own.includes(word) || word === "help")).toEqual([]);
  });

  test.each([...new Set([...Object.values(FOREIGN_WORDS.verbs), ...Object.values(FOREIGN_WORDS.absent)])])(
    "gets advice in one short line that names what there is: %s",
    (advice) => {
      expect(advice.length).toBeLessThanOrEqual(90);
      for (const [, name = "", flag = " --json"] of advice.matchAll(MENTION)) {
        if (PLAIN.includes(name)) continue;
        const flags = findVerb(name).flags.flatMap(({ long, short }) => [` --${long}`, ` -${short}`]);
        if (flag !== " --json") expect(flags).toContain(flag);
      }
    },
  );
});

describe("a flag of another program", () => {
  test.each([
    ["run", ["--gpu", "2", "true"], "did you mean --gpus?"],
    ["add", ["--gpu=2", "true"], "did you mean --gpus?"],
    ["add", ["--gres", "gpu:2", "true"], "did you mean --gpus?"],
    ["run", ["--gpu-ids", "0", "true"], "did you mean --gpu-idxs?"],
    ["history", ["--gres", "0"], "did you mean --gpu?"],
    ["wait", ["--time", "10m"], "did you mean --timeout?"],
    ["run", ["--timelimit", "10m", "true"], "did you mean --time?"],
    ["add", ["--timeout", "10m", "true"], "did you mean --time?"],
    ["add", ["--signal=USR1@300", "true"], "did you mean --warn?"],
    ["add", ["-J", "name", "true"], "did you mean --name?"],
    ["add", ["--array=1-10", "true"], "the command says it: nx add … '{1..10}'"],
    ["logs", ["--tail", "20"], "did you mean --lines?"],
    ["queue", ["--limit", "20"], "did you mean --count?"],
    ["kill", ["--no-confirm"], "did you mean --yes?"],
    ["run", ["--toString"], "see nx run --help"],
  ] as const)("nx %s %j is refused with what does it here", (verb, words, hint) => {
    expect(adviseFlag(verb, ...words)).toBe(hint);
  });

  test("is taken where the verb has one of that name", () => {
    expect(adviseFlag("history", "--gpu", "0")).toMatchObject({ flags: { gpu: "0" } });
  });

  test("leads to flags that some verb has, and is none that all verbs have", () => {
    const known = [...verbs.flatMap(({ flags }) => flags.map(({ long }) => long)), ...EVERYWHERE];
    expect(
      Object.values(FOREIGN_WORDS.flags)
        .flat()
        .filter((name) => !known.includes(name)),
    ).toEqual([]);
    expect(EVERYWHERE.filter((name) => `--${name}` in { ...FOREIGN_WORDS.flags, ...FOREIGN_WORDS.absent })).toEqual([]);
  });

  test.each(verbs.map((verb) => [verb.name, verb] as const))(
    "of nx %s says the same wherever it stands",
    (_name, verb) => {
      const flags = [...verb.flags, ...NX.flags];
      const own = flags.flatMap(({ long, short }) => [`--${long}`, `-${short}`]);
      const foreign = Object.entries(FOREIGN_WORDS.flags).filter(([name]) => !own.includes(name));
      for (const [name, names] of foreign) {
        const first = names.find((one) => flags.some(({ long }) => long === one));
        if (first !== undefined)
          expect(parseWords([name], verb, NX)).toMatchObject({ error: { hint: `did you mean --${first}?` } });
      }
    },
  );
});
