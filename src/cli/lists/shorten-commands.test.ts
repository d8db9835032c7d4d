import { expect, test } from "bun:test";
import fc from "fast-check";
import { measureWidth } from "../terminal/text-width.ts";
import { createCommandList } from "./command-list.ts";
import { createCommandFit } from "./shorten-commands.ts";

const fitAll = (commands: readonly string[], width: number): readonly string[] => {
  const shorten = createCommandFit(commands);
  return commands.map((command) => shorten(command, width));
};

const SWEEP = [1, 2].flatMap((lr) =>
  [1, 2].map(
    (seed) => `python train.py --config configs/vision/resnet50-large.yaml --lr 0.0${lr} --seed ${seed} --amp true`,
  ),
);

test("what fits stays as it is", () => {
  expect(fitAll(SWEEP, 200)).toEqual(SWEEP);
});

test("of commands that share a beginning what differs is shown, after the program's name where there is room", () => {
  expect(fitAll(SWEEP, 50)).toEqual([
    "train.py … --lr 0.01 --seed 1 --amp true",
    "train.py … --lr 0.01 --seed 2 --amp true",
    "train.py … --lr 0.02 --seed 1 --amp true",
    "train.py … --lr 0.02 --seed 2 --amp true",
  ]);
  expect(fitAll(SWEEP, 34)[3]).toBe("… --lr 0.02 --seed 2 --amp true");
  expect(fitAll(SWEEP, 24)[3]).toBe("… --lr 0.02 --seed 2 …");
});

test("one command of another kind in the list changes nothing for the others", () => {
  const commands = [
    ...SWEEP,
    "python train.py",
    "python evaluate.py --checkpoint runs/1/best.pt --split test --batch-size 64",
  ];
  expect([...fitAll(commands, 34)].slice(0, 4)).toEqual([...fitAll(SWEEP, 34)]);
  expect(fitAll(commands, 50)[5]).toBe("evaluate.py --checkpoint …lit test --batch-size 64");
});

test("all that differs is shown, however much that is the same stands between", () => {
  const commands = [1, 2].flatMap((lr) =>
    [1, 2].map((seed) => `python train.py --lr ${lr} --config configs/vision/resnet50-large.yaml --seed ${seed}`),
  );
  expect(fitAll(commands, 40)[1]).toBe("train.py … --lr 1 … --seed 2");
  expect(fitAll(commands, 20)[1]).toBe("… --lr 1 … --seed 2");
});

test("commands of which some have a word more are told by what comes after their common beginning", () => {
  const start = "python train.py --config configs/vision/resnet50-large.yaml --epochs 100";
  expect(fitAll([start, `${start} --amp`, `${start} --amp --compile`], 40)).toEqual([
    "train.py … --epochs 100",
    "train.py … --amp",
    "train.py … --amp --compile",
  ]);
});

test("what differs in the middle of the words is shown", () => {
  const commands = [1, 2].map(
    (fold) => `python train.py --data /mnt/imagenet --fold ${fold} --out /mnt/runs/imagenet --workers 16`,
  );
  expect(fitAll(commands, 20)).toEqual(["… --fold 1 …", "… --fold 2 …"]);
});

test("of long words that differ in their middle, what differs is shown with what stands around it", () => {
  const long = ["a", "b", "🙂", "日本"].map(
    (kind) => `python train.py --epochs 20 --name resnet-with-many-things-${kind}-and-a-tail-of-many-words`,
  );
  expect(fitAll(long, 45)).toEqual([
    "train.py … --name …any-things-a-and-a-tail…",
    "train.py … --name …any-things-b-and-a-tail…",
    "train.py … --name …any-things-🙂-and-a-tail…",
    "… --name …any-things-日本-and-a-tail…",
  ]);
  expect(fitAll(long, 22)).toEqual([
    "… --name …ings-a-and-…",
    "… --name …ings-b-and-…",
    "… --name …s-🙂-a…",
    "… --name …s-日本-a…",
  ]);
});

test("what differs is shown where it is the first word after the program, or a variable before it", () => {
  const words = "--epochs 100 --seed";
  const files = ["a", "b"].flatMap((name) =>
    [1, 2].map((seed) => `python train.py configs/vision/${name}-large.yaml ${words} ${seed}`),
  );
  expect(fitAll(files, 45)[3]).toBe("… configs/vision/b-large.yaml … --seed 2");
  expect(fitAll(files, 32)[3]).toBe("…sion/b-large.yaml … --seed 2");
  const variables = ["a", "b"].map((name) => `CONFIG=${name} WANDB_PROJECT=resnet python train.py ${words} 1`);
  expect(fitAll(variables, 20)).toEqual(["CONFIG=a …", "CONFIG=b …"]);
});

test("commands that differ in the middle of one word can be told apart wherever it stands", () => {
  const letters = fc.string({ unit: fc.constantFrom("a", "b", "日", "🙂", "-"), maxLength: 60 });
  const words = fc.array(fc.constantFrom("--amp", "--lr", "0.1", "configs/a.yaml"), { maxLength: 6 });
  fc.assert(
    fc.property(words, letters, letters, words, (before, start, end, after) => {
      const commands = ["1", "2"].map((it) =>
        ["python", "train.py", ...before, `x${start}${it}${end}`, ...after].join(" "),
      );
      const [one, other] = fitAll(commands, 30);
      expect(one).not.toBe(other);
    }),
  );
});

test.each([
  ["/home/ada/venvs/vision/bin/python /home/ada/project/train.py --lr 0.1", 30, "python train.py --lr 0.1"],
  ["/home/ada/venvs/vision/bin/python /home/ada/project/train.py --lr 0.1", 20, "train.py --lr 0.1"],
  ["SEED=1 /opt/tools/bin/simulate --steps 100", 30, "SEED=1 simulate --steps 100"],
  ["torchrun --nproc-per-node 4 /home/ada/train.py --lr 0.1", 45, "torchrun --nproc-per-node 4 train.py --lr 0.1"],
  ["'/opt/my tools/run' --steps 100 --out /mnt/a", 30, "'/opt/my tools/…0 --out /mnt/a"],
  ["cat /var/lib/data/one/two/three.txt", 30, "cat /var/lib/da…/two/three.txt"],
])("%j in %i columns is %j", (command, width, shown) => {
  expect(fitAll([command], width)).toEqual([shown]);
});

test("the same command again is no difference", () => {
  const [one = ""] = SWEEP;
  expect(fitAll([one, one], 40)).toEqual([...fitAll([one], 40), ...fitAll([one], 40)]);
});

test("a name comes first, whole where it fits", () => {
  const jobs = SWEEP.map((command, index) => ({ command, name: index === 0 ? "base" : null }));
  const shorten = createCommandList(jobs);
  expect(jobs.map((job) => shorten(job, 40))).toEqual([
    "base: … --lr 0.01 --seed 1 --amp true",
    "train.py … --lr 0.01 --seed 2 --amp true",
    "train.py … --lr 0.02 --seed 1 --amp true",
    "train.py … --lr 0.02 --seed 2 --amp true",
  ]);
  expect(shorten({ command: "train", name: "a-long-name-of-a-job" }, 12)).toBe("a-long-name…");
});

test("whatever the commands are, each fits, and what a terminal would obey is escaped", () => {
  const word = fc.oneof(
    fc.constantFrom("--lr", "-s", "a/b.py", "python", "日本語", "🙂", "\u001b[2J", "\n", " "),
    fc.string(),
  );
  const command = fc.array(word).map((words) => words.join(" "));
  fc.assert(
    fc.property(fc.array(command), fc.integer({ min: 1, max: 90 }), (commands, width) => {
      const shorten = createCommandList(commands.map((text) => ({ command: text })));
      for (const text of commands) {
        const shown = shorten({ command: text }, width);
        expect(measureWidth(shown)).toBeLessThanOrEqual(width);
        expect(shown).not.toMatch(/\p{Cc}/u);
      }
    }),
  );
});

test("ten thousand commands, and ones of 128 KiB, are fitted in a moment", () => {
  const many = Array.from(
    { length: 10_000 },
    (_job, index) => `python train.py --config configs/long-name.yaml --seed ${index}`,
  );
  const long = ["a ".repeat(65_000), "日".repeat(40_000), `${"b ".repeat(65_000)}c`];
  const startedAt = performance.now();
  expect(fitAll([...many, ...long], 40).at(-4)).toBe("train.py … --seed 9999");
  expect(performance.now() - startedAt).toBeLessThan(10_000);
});
