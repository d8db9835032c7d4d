import { describe, expect, test } from "bun:test";
import { execFileSync } from "node:child_process";
import fc from "fast-check";
import { isSecretName, MASK } from "../../base/secret-names.ts";
import { maskJobrc } from "./mask-jobrc.ts";

type Spell = (name: string, word: string, value: string) => string;

const quoteSingle = (value: string): string => `'${value.replaceAll("'", `'\\''`)}'`;
const quoteDouble = (value: string): string => `"${value.replaceAll(/["\\$`]/g, "\\$&")}"`;

const QUOTES: readonly ((value: string) => string)[] = [
  quoteSingle,
  quoteDouble,
  (value) => `$'${value.replaceAll(/['\\]/g, "\\$&")}'`,
  (value) => value.replaceAll(/[^A-Za-z0-9\n]/g, "\\$&").replaceAll("\n", () => "$'\\n'"),
  (value) => `$(cat <<'END'\n${value}\nEND\n)`,
  (value) => `"$(cat <<-'END'\n\t${value.replaceAll("\n", "\n\t")}\n\tEND\n)"`,
  (value) => `"$(printf %s ${quoteDouble(value)})"`,
];

const ASSIGNMENTS: readonly Spell[] = [
  (name, word) => `${name}=${word}`,
  (name, word) => `export ${name}=${word}`,
  (name, word) => `declare -x ${name}=${word}; true`,
  (name, word) => `export A=1 ${name}=${word} B=2 # it's set`,
  (name, word) => `export \\\n  ${name}=${word}`,
  (name, word) => `${name}+=${word}`,
  (name, word) => `set_it() {\n  export ${name}=${word}\n}\nset_it`,
  (name, word) => `if true; then export ${name}=${word}; fi`,
  (name, word) => `true && ${name}=${word} && true`,
  (name, word) => `[[ -n $${name} ]] || ${name}=${word}`,
  (name, _word, value) => `: "\${${name}:=$(printf %s ${quoteSingle(value)})}"`,
  (name, _word, value) => `IFS= read -r -d '' ${name} <<< ${quoteSingle(value)} || ${name}=\${${name}%?}`,
];

const OTHERS: readonly Spell[] = [
  (name, word) => `export "${name}"=${word}`,
  (name, word) => `${name}=${word} python train.py`,
  (name, word) => `env ${name}=${word} python train.py`,
  (name, word) => `(cd "$HOME" && ${name}=${word} python train.py)`,
  (name, word) => `OUT=$(${name}=${word} python train.py)`,
  (name, word) => `OUT="$(case $HOST in (a) ;; b) ${name}=${word} run ;; esac)"`,
  (name, word) => `[ $${name} = ${word} ] || [[ "$${name}" != ${word} ]] || export ${name} = ${word}`,
  (name, word) => `${name}=(${word} ${word})`,
  (name, word) => `declare -A all=([${name}]=${word} ["${name}"]=${word} [x]=y)`,
  (name, word) => `serve --${name} ${word} --port 80`,
  (name, word) => `serve --${name}=${word} --port 80`,
  (name, _word, value) => `export "${name}=${quoteDouble(value).slice(1)}`,
  (name, _word, value) => `bash -c ${quoteSingle(`export ${name}=${quoteSingle(value)}; run`)}`,
  (name, _word, value) => `curl -H ${quoteDouble(`${name}: ${value}`)} example.org`,
  (name, _word, value) => `cat >file <<END\n${name}: ${value}\nEND\ntrue`,
  (name, _word, value) => `cat <<ONE <<-"END" >file\nnothing\nONE\n\tlogin ada ${name} ${value}\n\tEND\ntrue`,
  (name, _word, value) => `serve --${name}-stdin <<END\n${value}\nEND`,
  (name, _word, value) => `# export ${name}=${quoteSingle(value).replaceAll("\n", "\n# ")}`,
  (name, _word, value) => `${name}=${quoteSingle(value).slice(0, -1)}`,
];

const AROUND = [
  "",
  "# don't touch\nmodule load cuda/12.1",
  `echo "it's $(date "+%F") \${HOME:-"}"}" 'say "hi"'`,
  "cat <<'END' >notes\ndon't\nEND",
  "N=$((1 << 3)); ((N = N << 1)); echo $# ${#N} \\' \\\"",
  "PS1='\\u$ '",
];

const NAMES = [
  ...["DB_PWD", "SESSION_COOKIE", "AWS_CRED", "SENTRY_DSN", "HF_TOKEN", "api_key", "GITHUB_PAT", "MYSQL_PASS"],
  ...["TWILIO_ACCOUNT_SID", "PHONE_TO_NUMBER", "Authorization", "JWT", "PGPASSWORD", "SLACK_WEBHOOK", "_private"],
];
const someName = fc.oneof(
  fc.constantFrom(...NAMES),
  fc
    .tuple(fc.stringMatching(/^[A-Za-z_]\w{0,3}$/), fc.constantFrom(...NAMES), fc.stringMatching(/^(_\w{1,3})?$/))
    .map((parts) => parts.join(""))
    .filter(isSecretName),
);
const someValue = fc
  .array(fc.tuple(fc.stringMatching(/^Q[xyz]{5}$/), fc.stringMatching(/^[ '"`$\\\n#;()<=}{&|!*?[\]:~-]{0,2}$/)), {
    minLength: 1,
    maxLength: 4,
  })
  .map((parts) => parts.flat().join("").trim().replace(/\\+$/, ""));
const someAround = fc.constantFrom(...AROUND);
const someQuote = fc.constantFrom(...QUOTES);

const listChunks = (value: string): readonly string[] => value.match(/Q[xyz]{5}/g) ?? [];

describe("whatever the spelling, the value of a variable that is named like a secret is not shown", () => {
  test("where bash sets it", () => {
    const some = fc.record({ name: someName, value: someValue, quote: someQuote, before: someAround });
    fc.assert(
      fc.property(some, fc.constantFrom(...ASSIGNMENTS), someAround, ({ name, value, quote, before }, spell, after) => {
        const shown = maskJobrc(`${before}\n${spell(name, quote(value), value)}\n${after}\n`);
        for (const chunk of listChunks(value)) expect(shown).not.toContain(chunk);
        expect(shown).toContain(MASK);
      }),
      { numRuns: 3000 },
    );
  });

  test("where it is given to a program, written to a file or only remarked", () => {
    const some = fc.record({ name: someName, value: someValue, quote: someQuote, before: someAround });
    fc.assert(
      fc.property(some, fc.constantFrom(...OTHERS), ({ name, value, quote, before }, spell) => {
        const shown = maskJobrc(`${before}\n${spell(name, quote(value), value)}\n`);
        for (const chunk of listChunks(value)) expect(shown).not.toContain(chunk);
      }),
      { numRuns: 3000 },
    );
  });

  test("and these spellings are those of bash", () => {
    const value = "Qx y'z\"\n$a`\\;#(Q";
    for (const spell of ASSIGNMENTS)
      for (const quote of QUOTES) {
        const script = `unset MY_TOKEN\n${spell("MY_TOKEN", quote(value), value)}\nprintf %s "$MY_TOKEN"`;
        expect(execFileSync("bash", ["-c", script], { encoding: "utf8", env: { HOME: "/" } })).toBe(value);
      }
  });
});

test("what is not secret stays as it is", () => {
  for (const text of [
    ...AROUND,
    "source ~/venv/bin/activate\nexport OMP_NUM_THREADS=4 DATA=/data/imagenet2012-validation\nulimit -n 4096\n",
    "cat <<END\nplain text\nEND\n",
    'echo "the token is $TOKEN"\n',
    `setup="$('/opt/conda/bin/conda' 'shell.bash' 'hook' 2> /dev/null)"\nif [ $? -eq 0 ]; then eval "$setup"; fi\n`,
    "case $HOST in\n  gpu*) module load cuda ;;\nesac\n",
  ])
    expect(maskJobrc(text)).toBe(text);
});

test("what stands around a secret stays", () => {
  expect(maskJobrc("export A=1 HF_TOKEN='a b' B=2; run --lr 0.1 # it's on\n")).toBe(
    `export A=1 HF_TOKEN=${MASK} B=2; run --lr 0.1 # it's on\n`,
  );
  expect(maskJobrc('curl -H "Authorization: Bearer x" https://example.org\n')).toBe(
    `curl -H "Authorization: ${MASK}" https://example.org\n`,
  );
  expect(maskJobrc("cat >~/.netrc <<END\nmachine a password b\nEND\nls\n")).toBe(
    `cat >~/.netrc <<END\n${MASK}\nEND\nls\n`,
  );
});

test("a value that looks random, a password in a URL, and a secret that is repeated without its name are masked", () => {
  expect(maskJobrc("X=ghp_0123456789abcdefABCDEF\n")).toBe(`X=${MASK}\n`);
  expect(maskJobrc("git clone https://ada:s3cret@example.org/x\n")).toBe(
    `git clone https://ada:${MASK}@example.org/x\n`,
  );
  expect(maskJobrc("DB_PWD=open-sesame\nmysql -popen-sesame\n")).toBe(`DB_PWD=${MASK}\nmysql -p${MASK}\n`);
});

test("any text at all can be masked, also one that bash would refuse", () => {
  const unit = fc.constantFrom(..."\"'`$\\(){}<>#=;\n EOF", "TOKEN", "<<E", "\nE\n", "case x", "esac");
  fc.assert(
    fc.property(fc.string({ unit, maxLength: 60 }), (text) => {
      expect(typeof maskJobrc(maskJobrc(text))).toBe("string");
    }),
    { numRuns: 5000 },
  );
});

test("a long text is masked in a time that grows with its length", () => {
  const text = `export A="$(echo "\${B:-'x'}")" C=(1 2) # note\n`.repeat(5000);
  expect(maskJobrc(text)).toBe(text);
});
