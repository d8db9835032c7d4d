import { z } from "zod";
import type { DocumentShape, RowShape } from "../../command-line/command.ts";
import { DOCUMENTS, ROWS } from "./document-table.ts";

type Schema = Readonly<{
  type?: string | readonly string[];
  $ref?: string;
  anyOf?: readonly Schema[];
  items?: Schema;
  enum?: readonly unknown[];
  const?: unknown;
  description?: string;
  properties?: Readonly<Record<string, Schema>>;
  required?: readonly string[];
}>;

const nameType = (schema: Schema): string => {
  if (schema.$ref !== undefined) return schema.$ref.slice(schema.$ref.lastIndexOf("/") + 1);
  if (schema.anyOf !== undefined) return schema.anyOf.map(nameType).join(" | ");
  if (schema.enum !== undefined) return schema.enum.map((value) => JSON.stringify(value)).join(" | ");
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  return schema.type === "array" ? `[${nameType(schema.items ?? {})}]` : [schema.type ?? "any"].flat().join(" | ");
};

const toJsonSchema = (schema: z.ZodType): Schema & Readonly<{ $defs?: Readonly<Record<string, Schema>> }> =>
  z.toJSONSchema(schema, { io: "input", unrepresentable: "any" }) as Schema;

const listProperties = (schema: z.ZodType): RowShape["fields"] => {
  const described = toJsonSchema(schema);
  const { properties = {}, required = [] } = described.$defs?.[nameType(described)] ?? described;
  return Object.entries(properties).map(([name, property]) => ({
    name,
    type: nameType(property),
    always: required.includes(name),
    about: property.description ?? null,
  }));
};

const isList = (schema: z.ZodType): schema is z.ZodArray<z.ZodType> => schema instanceof z.ZodArray;

const describeRow = (schema: z.ZodType): RowShape => ({
  type: nameType(toJsonSchema(schema)),
  fields: listProperties(schema),
});

const describe = (words: string, schema: z.ZodType): DocumentShape => {
  const rows = ROWS[words];
  return {
    words,
    is_list: isList(schema),
    ...describeRow(isList(schema) ? schema.element : schema),
    rows: rows === undefined ? null : describeRow(rows),
  };
};

export const describeDocuments = (): readonly DocumentShape[] =>
  Object.entries(DOCUMENTS).map(([words, schema]) => describe(words, schema));

/** The first that there is of these. */
export const findDocument = (names: readonly string[]): DocumentShape | null => {
  const words = names.find((name) => Object.hasOwn(DOCUMENTS, name)) ?? "";
  const schema = DOCUMENTS[words];
  return schema === undefined ? null : describe(words, schema);
};

/** Those that `--fields` takes; null where a document has no rows. */
export const listRowFields = ({ is_list, fields, rows }: DocumentShape): readonly string[] | null => {
  const shown = rows?.fields ?? (is_list ? fields : null);
  return shown?.map(({ name }) => name) ?? null;
};
