import type { DocumentShape, Flag, Program, Verb } from "./command.ts";
import { loadVerbs } from "./help.ts";
import { EXIT_CODES } from "./usage.ts";

const FAILURE: DocumentShape = {
  words: "any failure, on standard error, its last line",
  is_list: false,
  rows: null,
  type: "Failure",
  fields: [
    {
      name: "error",
      type: "string",
      always: true,
      about:
        "its kind: a word of the server's API, of exit_codes, or TIMEOUT, OTHER_VERSION, NOT_LISTENING, UNTRUSTED, JOB_FAILED, JOB_KILLED",
    },
    { name: "message", type: "string", always: true, about: "what is wrong" },
    { name: "hint", type: "string | null", always: true, about: "what to do" },
    {
      name: "exit_code",
      type: "integer",
      always: true,
      about: "the program's; a job's own with JOB_FAILED and JOB_KILLED",
    },
  ],
};

const WHOLE_NUMBERS = ["N", "CODE", "GPU"];

const nameType = ({ value, choices }: Flag): string => {
  if (value === undefined) return "switch";
  if (choices !== undefined) return "choice";
  return WHOLE_NUMBERS.includes(value) ? "integer" : "text";
};

const describeFlag = (flag: Flag) => ({
  name: `--${flag.long}`,
  short: flag.short === undefined ? null : `-${flag.short}`,
  type: nameType(flag),
  value: flag.value ?? null,
  value_may_be_left_out: flag.bare !== undefined,
  default: flag.default ?? null,
  choices: flag.choices ?? null,
  repeatable: flag.many === true,
  about: flag.help,
});

const belongsTo = ({ words }: DocumentShape, { name }: Verb): boolean => words.split(" ")[0] === name;

const describeVerb = (verb: Verb, documents: readonly DocumentShape[]) => ({
  name: verb.name,
  usage: verb.usage,
  about: verb.summary,
  takes_command: verb.isCommand === true || verb.takesCommand === true,
  max_words: verb.maxWords ?? null,
  flags: verb.flags.map(describeFlag),
  documents: documents.filter((document) => belongsTo(document, verb)),
  examples: verb.examples,
});

export type ProgramDescription = Readonly<{
  name: string;
  about: string;
  flags: readonly ReturnType<typeof describeFlag>[];
  exit_codes: readonly Readonly<{ exit_code: number; error: string; means: string }>[];
  failure: DocumentShape;
  verbs: readonly ReturnType<typeof describeVerb>[];
}>;

/** Everything that help knows, for programs; of one verb where it is named. */
export const describeProgram = async (program: Program, name?: string): Promise<ProgramDescription> => {
  const documents = (await program.describeDocuments?.()) ?? [];
  const verbs = (await loadVerbs(program)).filter((verb) => name === undefined || verb.name === name);
  return {
    name: program.name,
    about: program.summary,
    flags: program.flags.map(describeFlag),
    exit_codes: EXIT_CODES.map(({ exitCode, name: error, means }) => ({ exit_code: exitCode, error, means })),
    failure: FAILURE,
    verbs: verbs.map((verb) => describeVerb(verb, documents)),
  };
};
