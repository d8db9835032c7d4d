import { expect, test } from "bun:test";
import fc from "fast-check";
import { isCredentialName, isSecretName, listSecrets, maskFields, maskSecrets, maskUrls } from "./secret-names.ts";

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

test.each([
  ...["DB_PWD", "SESSION_COOKIE", "AWS_CRED", "SENTRY_DSN", "WANDB_API_KEY", "HF_TOKEN", "TWILIO_ACCOUNT_SID"],
  ...["api_token", "MYSQL_PASS", "PASSPHRASE", "GITHUB_PAT", "JWT", "DISCORD_WEBHOOK_URL", "PHONE_TO_NUMBER"],
])("%s is the name of a secret", (name) => {
  expect(isSecretName(name)).toBe(true);
});

test.each(["PATH", "LD_LIBRARY_PATH", "OMP_NUM_THREADS", "LEFT_SIDE", "EPOCHS", "NUM_PASSES", "host", "node_name"])(
  "%s is not",
  (name) => {
    expect(isSecretName(name)).toBe(false);
  },
);

test("a phone's number is not told to others, and is shown while it is typed", () => {
  expect([isCredentialName("PHONE_TO_NUMBER"), isCredentialName("TWILIO_AUTH_TOKEN")]).toEqual([false, true]);
});

test.each([
  ["postgres://ada:p@ss:w0rd@db:5432/x", "postgres://ada:********@db:5432/x"],
  ["https://ghp_0123456789abcdef@example.org/x.git", "https://********@example.org/x.git"],
  ["https://ghp_0123456789abcdef:x-oauth-basic@example.org", "https://********:********@example.org"],
  ["ssh://git@example.org:22/x, mail ada@example.org", "ssh://git@example.org:22/x, mail ada@example.org"],
  ["https://registry:4873/@scope/x?a=b:c@d", "https://registry:4873/@scope/x?a=b:c@d"],
])("of %s is shown %s", (text, shown) => {
  expect(maskUrls(text)).toBe(shown);
});

test("below the name of a secret no value is shown, however deep it lies; other fields stay", () => {
  const some = fc.string({ minLength: 8 }).map((text) => `Qx${text}`);
  const tree = fc.letrec<{ node: unknown }>((tie) => ({
    node: fc.oneof(some, fc.array(tie("node")), fc.dictionary(fc.stringMatching(/^[a-f]{1,3}$/), tie("node"))),
  })).node;
  const name = fc.constantFrom("api_token", "DB_PWD", "cookies", "private");
  fc.assert(
    fc.property(name, tree, (secret, value) => {
      const shown = maskFields({ lab: [{ host: "box", port: 1, is_open: true, at: null, [secret]: value }] });
      expect(JSON.stringify(shown)).not.toContain("Qx");
      expect(shown).toMatchObject({ lab: [{ host: "box", port: 1, is_open: true, at: null }] });
    }),
  );
});

test("a password in a URL is masked in any field", () => {
  expect(maskFields({ url: ["https://ada:s3cret@box"] })).toEqual({ url: ["https://ada:********@box"] });
});
