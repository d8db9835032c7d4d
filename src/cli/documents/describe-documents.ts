import { z } from "zod";
import type { DocumentShape, FieldShape } from "../../command-line/command.ts";
import { DOCUMENTS } from "./document-table.ts";

type Schema = Readonly<{
  type?: string;
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
  return schema.type === "array" ? `[${nameType(schema.items ?? {})}]` : (schema.type ?? "any");
};

const toJsonSchema = (schema: z.ZodType): Schema & Readonly<{ $defs?: Readonly<Record<string, Schema>> }> =>
  z.toJSONSchema(schema, { io: "input", unrepresentable: "any" }) as Schema;

const listProperties = (schema: z.ZodType): readonly FieldShape[] => {
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

const describe = (words: string, schema: z.ZodType): DocumentShape => {
  const row = isList(schema) ? schema.element : schema;
  return { words, is_list: isList(schema), type: nameType(toJsonSchema(row)), fields: listProperties(row) };
};

export const describeDocuments = (): readonly DocumentShape[] =>
  Object.entries(DOCUMENTS).map(([words, schema]) => describe(words, schema));

/** Those of a document, or of each row of one that is a list. */
export const listFields = (words: string): readonly string[] => {
  const schema = DOCUMENTS[words];
  return schema === undefined ? [] : describe(words, schema).fields.map(({ name }) => name);
};
