import { expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { checkAbility } from "../../../tests/support/ability.ts";
import { FIXTURES } from "../../../tests/support/programs.ts";
import { readEnvLines } from "./env-lines.ts";
import { readEnv } from "./env-text.ts";

type Values = Readonly<Record<string, string>>;

const OUTER = { OUTER: "outer" };
const VARIABLE_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;
const { cases }: Readonly<{ cases: readonly Readonly<{ text: string; values: Values }>[] }> = JSON.parse(
  readFileSync(join(FIXTURES, "dotenv", "values.json"), "utf8"),
);

const keepVariables = (values: Readonly<Record<string, string | null>>): Values =>
  Object.fromEntries(
    Object.entries(values).flatMap(([name, value]) =>
      value !== null && VARIABLE_NAME.test(name) ? [[name, value] as const] : [],
    ),
  );

test.each(cases.map(({ text, values }) => [text, values] as const))(
  "%j is read as python-dotenv reads it",
  (text, values) => {
    expect(readEnv(text, OUTER)).toEqual(keepVariables(values));
  },
);

const PROGRAM = `import io, json, logging, sys, dotenv
logging.disable(logging.CRITICAL)
print(json.dumps([dotenv.dotenv_values(stream=io.StringIO(text, newline="")) for text in json.load(sys.stdin)]))`;

const runDotenv = (texts: readonly string[]) =>
  spawnSync("python3", ["-c", PROGRAM], {
    encoding: "utf8",
    input: JSON.stringify(texts),
    env: { PATH: process.env["PATH"] ?? "", HOME: process.env["HOME"] ?? "", ...OUTER },
  });

const canRunDotenv = checkAbility(runDotenv([]).status === 0, "python-dotenv");

test.skipIf(!canRunDotenv)("any text is read as python-dotenv reads it", () => {
  const piece = fc.constantFrom(
    ..."AB=#'\"\\$ \t\n",
    ..."A= B=' =\" ' \" \\' \\\" \\n \\t ${A} ${B:-x} ${OUTER} export\t \r\n \r é \n# \t#".split(" "),
    "\nA=",
    "\nB='",
    '\nexport A="',
  );
  const text = fc
    .array(piece, { maxLength: 14 })
    .map((pieces) => pieces.join(""))
    .filter((one) => readEnvLines(one).every(({ name, value }) => name === null || value !== null));
  fc.assert(
    fc.property(fc.array(text, { minLength: 200, maxLength: 200 }), (texts) => {
      const read: readonly Readonly<Record<string, string | null>>[] = JSON.parse(runDotenv(texts).stdout);
      expect(texts.map((one) => [one, readEnv(one, OUTER)])).toEqual(
        read.map((values, index) => [texts[index] ?? "", keepVariables(values)]),
      );
    }),
    { numRuns: 10 },
  );
});
