import { expect, test } from "bun:test";
import { runProgram } from "../../command-line/run-program.ts";
import { NX } from "../program.ts";
import { VERBS } from "../verb-table.ts";
import { describeDocuments, findDocument, listRowFields } from "./describe-documents.ts";

const LISTS = describeDocuments().flatMap((document) => {
  const fields = listRowFields(document);
  return fields === null ? [] : [{ words: document.words, fields }];
});
const LISTING = new Set(LISTS.map(({ words }) => words.split(" ")[0]));

const refuse = async (line: string): Promise<unknown> => {
  const outcome = await runProgram(line.split(" "), NX);
  return outcome.ok ? outcome.value : outcome.error;
};

test.each(Object.keys(VERBS))("nx %s takes --jsonl and --fields if it shows a list, and only then", async (name) => {
  const flags = (await VERBS[name]?.())?.verb.flags.map(({ long }) => long) ?? [];
  const wanted = LISTING.has(name) ? ["jsonl", "fields"] : [];
  expect(flags.filter((flag) => ["jsonl", "fields"].includes(flag))).toEqual(wanted);
});

test.each(LISTS)("nx $words refuses a field that there is not, and names those that there are", async (list) => {
  expect(list.fields).not.toEqual([]);
  expect(await refuse(`${list.words} --jsonl --fields ${list.fields[0]},no_such_field`)).toEqual({
    exitCode: 2,
    message: `"no_such_field" is no field of what nx ${list.words} shows`,
    hint: `there are: ${list.fields.join(", ")}`,
  });
});

test.each(["--jsonl", "--fields name"])("nx target add refuses %s, as it shows no list", async (flag) => {
  expect(await refuse(`target add lab https://gpu-box.example ${flag}`)).toEqual({
    exitCode: 2,
    message: "--jsonl and --fields are for lists: nx target add shows none",
    hint: "use --json",
  });
});

test("each field's type is a text", () => {
  const documents = describeDocuments();
  const fields = documents.flatMap(({ fields: own, rows }) => [...own, ...(rows?.fields ?? [])]);
  expect(fields.filter(({ type }) => typeof type !== "string")).toEqual([]);
  expect(findDocument(["files"])?.rows?.fields).toContainEqual(
    expect.objectContaining({ name: "target", type: "string | null" }),
  );
});
