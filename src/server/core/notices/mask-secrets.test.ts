import { expect, test } from "bun:test";
import { listSecrets, maskSecrets } from "./mask-secrets.ts";

const mask = (text: string, env: Readonly<Record<string, string>>): string => maskSecrets(text, listSecrets(env));

test("values of variables that are named like secrets are masked, also when they look like words", () => {
  const env = { WANDB_API_KEY: "abcd", DB_PASSWORD: "letmein", SEED: "1234", NAME: "resnet" };
  expect(mask("abcd letmein 1234 resnet", env)).toBe("******** ******** 1234 resnet");
});

test("values that look random are masked, whatever the name; paths and settings are not", () => {
  const env = { X: "ghp_0123456789abcdefABCDEF", DATA: "/data/imagenet2012-validation", MODE: "train" };
  expect(mask("ghp_0123456789abcdefABCDEF /data/imagenet2012-validation train", env)).toBe(
    "******** /data/imagenet2012-validation train",
  );
});

test("a longer secret is masked before one that is a part of it, and each line of one with several", () => {
  const env = { A_TOKEN: "abcdef", B_TOKEN: "abcdefghi", KEY: "-----BEGIN-----\nline-one\nline-two" };
  expect(mask("abcdefghi abcdef\nline-one\r\nline-two", env)).toBe("******** ********\n********\r\n********");
});

test("the password of an address is masked without being known", () => {
  expect(mask("cloning https://ann:s3cret@example.org/x", {})).toBe("cloning https://ann:********@example.org/x");
});

test("a value too short to be told from other text is left", () => {
  expect(mask("a 1 abc", { KEY: "a", TOKEN: "abc" })).toBe("a 1 abc");
});

test("a long word is masked in a time that grows with its length alone", () => {
  const word = "f".repeat(1_000_000);
  expect(mask(`${word} ://${word} ://u:${word}`, {})).toHaveLength(3 * word.length + 10);
});
