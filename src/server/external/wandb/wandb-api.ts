import { USER_AGENT } from "../../../base/version.ts";
import { readBody } from "../../../tools/read-response.ts";

/** `signal` ends every call of the account at the same moment. */
export type WandbAccount = Readonly<{ baseUrl: string; key: string; entity: string; signal: AbortSignal }>;

type Question = Readonly<{ query: string; variables: Readonly<Record<string, string>> }>;

const MAX_ANSWER_BYTES = 1024 * 1024;
const RUN =
  "query Run($project: String!, $entity: String!, $name: String!) { project(name: $project, entityName: $entity) { run(name: $name) { name } } }";
const PROJECTS =
  "query Projects($entity: String, $name: String!) { models(entityName: $entity, first: 50) { edges { node { name run(name: $name) { name } } } } }";

const ask = async ({ baseUrl, key, signal }: WandbAccount, question: Question): Promise<unknown> => {
  const url = new URL(`${baseUrl.replace(/\/+$/, "")}/graphql`);
  if (!/^https?:$/.test(url.protocol)) throw new Error("W&B's address is not of the web");
  const credentials = Buffer.from(`api:${key}`).toString("base64");
  const response = await fetch(url, {
    method: "POST",
    signal,
    redirect: "error",
    headers: { "content-type": "application/json", authorization: `Basic ${credentials}`, "user-agent": USER_AGENT },
    body: JSON.stringify(question),
  });
  if (!response.ok) throw new Error(`W&B answered ${response.status}`);
  const { text, isCut } = await readBody(response, MAX_ANSWER_BYTES);
  if (isCut) throw new Error("W&B's answer is too long");
  return JSON.parse(text) as unknown;
};

const dig = (value: unknown, ...names: readonly string[]): unknown =>
  names.reduce<unknown>(
    (inner, name) => (typeof inner === "object" && inner !== null ? Reflect.get(inner, name) : undefined),
    value,
  );

const holdsRun = (project: unknown): boolean => typeof dig(project, "run", "name") === "string";

/** Rejects when W&B can't be asked. */
export const confirmRun = async (account: WandbAccount, project: string, name: string): Promise<boolean> => {
  const variables = { project, entity: account.entity, name };
  return holdsRun(dig(await ask(account, { query: RUN, variables }), "data", "project"));
};

/** Looks through the first 50 projects that W&B lists for the entity. Rejects when W&B can't be asked. */
export const findProjectOfRun = async (account: WandbAccount, name: string): Promise<string | null> => {
  const answer = await ask(account, { query: PROJECTS, variables: { entity: account.entity, name } });
  const edges = dig(answer, "data", "models", "edges");
  const holders = Array.isArray(edges) ? edges.map((edge) => dig(edge, "node")).filter(holdsRun) : [];
  const project = dig(holders[0], "name");
  return typeof project === "string" ? project : null;
};
