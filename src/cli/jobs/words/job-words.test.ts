import { expect, test } from "bun:test";
import { makeJob } from "../../../../tests/support/top-samples.ts";
import { selectByWord, type WordMeaning } from "./job-words.ts";

const JOBS = [
  makeJob({ id: "aaa", user: "ann", name: "train", command: "python train.py", batch_id: "b1", gpu_idxs: [0] }),
  makeJob({ id: "bbb", user: "ann", name: "train", command: "python eval.py", batch_id: "b1", gpu_idxs: [1, 2] }),
  makeJob({ id: "ccc", user: "bob", name: "train", command: "python train.py", gpu_idxs: [3] }),
  makeJob({ id: "train", user: "bob", name: null, command: "true", gpu_idxs: [] }),
  makeJob({ id: "ddd", user: "ann", name: "aaa", command: "@home 0", gpu_idxs: [] }),
];

const OWN: WordMeaning = { user: "ann", hasGpus: true };

const select = (word: string, meaning: WordMeaning = OWN, jobs = JOBS) => {
  const expression = new RegExp(word);
  const chosen = selectByWord(jobs, { word, matches: (text) => expression.test(text) }, meaning);
  return chosen.map(({ id }) => id).join(" ");
};

test("a word is the first that fits: a batch, an id, a GPU, a whole name, an expression", () => {
  expect(select("@b1")).toBe("aaa bbb");
  expect(select("aaa")).toBe("aaa");
  expect(select("2")).toBe("bbb");
  expect(select("train")).toBe("train");
  expect(select("train", OWN, JOBS.slice(0, 3))).toBe("aaa bbb");
  expect(select("eval|train.py")).toBe("aaa bbb");
});

test("a name or an expression selects the user's own jobs, or all", () => {
  const all = { user: null, hasGpus: true };
  expect(select("train", all, JOBS.slice(0, 3))).toBe("aaa bbb ccc");
  expect(select("train.py", OWN)).toBe("aaa");
  expect(select("train.py", all)).toBe("aaa ccc");
});

test("a word that begins with an at sign is a batch alone, and [@] is the sign itself", () => {
  expect(select("@home")).toBe("");
  expect(select("[@]home")).toBe("ddd");
});

test("a number is no GPU where waiting jobs are meant", () => {
  expect(select("0", { user: "ann", hasGpus: false })).toBe("ddd");
});
