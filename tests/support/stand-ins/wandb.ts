import { type Answer, type Received, type StandIn, startStandIn } from "./stand-in.ts";

export type Asked = Readonly<{ query: string; variables: Readonly<Record<string, string | readonly string[] | null>> }>;

/** `questions` are those of the finder; `addRun` is what the package does by itself. */
export type WandbStandIn = StandIn &
  Readonly<{
    key: string;
    questions: Asked[];
    uploads: string[];
    addRun: (project: string, run: string) => void;
  }>;

const UPLOAD = "/upload/";
const ENTITY = "lab";
const RUN =
  "query Run($project: String!, $entity: String!, $name: String!) { project(name: $project, entityName: $entity) { run(name: $name) { name } } }";
const PROJECTS =
  "query Projects($entity: String, $name: String!) { models(entityName: $entity, first: 50) { edges { node { name run(name: $name) { name } } } } }";
const VIEWER = { id: "v", entity: ENTITY, username: "ann", email: null, flags: "{}", teams: { edges: [] } };

const answer = (data: unknown): Answer => ({ status: 200, body: JSON.stringify({ data }) });

const refuse = (status: number, message: string): Answer => ({
  status,
  body: JSON.stringify({ errors: [{ message }] }),
});

const parse = ({ headers, body }: Received): Asked | null => {
  if (!headers.get("content-type")?.startsWith("application/json")) return null;
  try {
    const { query, variables = {} } = JSON.parse(new TextDecoder().decode(body));
    return typeof query === "string" ? { query, variables } : null;
  } catch {
    return null;
  }
};

const nameOperation = ({ query }: Asked): string => /^\s*(?:query|mutation)\s+(\w+)/.exec(query)?.[1] ?? "";

const hasVariables = ({ query, variables }: Asked): boolean =>
  [...query.matchAll(/\$(\w+):\s*[\w[\]!]+!(?=[\s,)])/g)].every(([, name]) => (variables[name ?? ""] ?? null) !== null);

const readText = ({ variables }: Asked, name: string): string => String(variables[name] ?? "");

type Runs = Map<string, Set<string>>;

const showProject = (runs: Runs, project: string, run: string) => ({
  name: project,
  run: runs.get(project)?.has(run) ? { name: run } : null,
});

const upsert = (runs: Runs, asked: Asked) => {
  const [project, name] = [readText(asked, "project"), readText(asked, "name")];
  runs.set(project, (runs.get(project) ?? new Set()).add(name));
  const entity = { id: "e", name: ENTITY };
  const more = { displayName: name, description: null, config: "{}", sweepName: null, historyLineCount: 0 };
  return {
    upsertBucket: { bucket: { id: "b", name, ...more, project: { id: "p", name: project, entity } }, inserted: true },
  };
};

const NOTHING_LOGGED = {
  ...{ logLineCount: 0, historyLineCount: 0, eventsLineCount: 0, historyTail: "[]", eventsTail: "[]" },
  ...{ summaryMetrics: "{}", config: "{}", tags: [], wandbConfig: '{"t": 1}' },
};

const findResumed = (runs: Runs, asked: Asked) => {
  const [project, name] = [readText(asked, "project"), readText(asked, "name")];
  const bucket = runs.get(project)?.has(name) ? { id: "b", name, displayName: name, ...NOTHING_LOGGED } : null;
  return { model: { id: "p", name: project, entity: { id: "e", name: ENTITY }, bucket } };
};

const findRun = (runs: Runs, asked: Asked) => {
  const [entity, project, name] = ["entity", "project", "name"].map((each) => readText(asked, each));
  const isKnown = entity === ENTITY && runs.has(project ?? "");
  return { project: isKnown ? showProject(runs, project ?? "", name ?? "") : null };
};

const findProjects = (runs: Runs, asked: Asked) => {
  const isKnown = readText(asked, "entity") === ENTITY;
  const edges = [...runs.keys()]
    .slice(0, 50)
    .map((each) => ({ node: showProject(runs, each, readText(asked, "name")) }));
  return { models: isKnown ? { edges } : null };
};

const createFiles = (asked: Asked, url: string) => {
  const names = Array.isArray(asked.variables["files"]) ? asked.variables["files"] : [];
  const files = names.map((name: string) => ({ name, uploadUrl: `${url}${UPLOAD}${name}` }));
  return { createRunFiles: { runID: "b", uploadHeaders: [], files } };
};

/**
 * The API of W&B, as far as its package 0.31.0 uses it to write a run online and as the finder asks it: GraphQL with basic
 * authentication by `api` and the key (https://docs.wandb.ai/ref/python/public-api/, core/internal/gql and
 * core/api/graphql of https://github.com/wandb/wandb), 429 where there are too many requests
 * (https://docs.wandb.ai/platform/hosting/hosting-options/dedicated-cloud/rate-limits).
 */
export const startWandb = (): WandbStandIn => {
  const key = "0123456789abcdef0123456789abcdef01234567";
  const runs: Runs = new Map();
  const questions: Asked[] = [];
  const uploads: string[] = [];
  const isKnown = ({ headers }: Received): boolean => headers.get("authorization") === `Basic ${btoa(`api:${key}`)}`;

  const serveQuestion = (asked: Asked): Answer => {
    if (!hasVariables(asked)) return refuse(400, "a variable is missing");
    if (asked.query === RUN || asked.query === PROJECTS) questions.push(asked);
    switch (nameOperation(asked)) {
      case "Run":
        return answer(findRun(runs, asked));
      case "Projects":
        return answer(findProjects(runs, asked));
      case "Viewer":
        return answer({ viewer: VIEWER });
      case "UpsertBucket":
        return answer(upsert(runs, asked));
      case "RunResumeStatus":
        return answer(findResumed(runs, asked));
      case "CreateRunFiles":
        return answer(createFiles(asked, service.url));
      default:
        return answer({});
    }
  };

  const takeUpload = ({ path }: Received): Answer => {
    uploads.push(path.slice(UPLOAD.length));
    return { status: 200, body: "" };
  };

  const serve = (request: Received): Answer => {
    if (request.method === "PUT" && request.path.startsWith(UPLOAD)) return takeUpload(request);
    return isKnown(request) ? serveKnown(request) : refuse(401, "user is not logged in");
  };

  const serveKnown = (request: Received): Answer => {
    if (request.method === "POST" && request.path.endsWith("/file_stream")) return { status: 200, body: "{}" };
    if (request.method !== "POST" || request.path !== "/graphql") return refuse(404, "not found");
    const asked = parse(request);
    return asked === null ? refuse(400, "no question") : serveQuestion(asked);
  };

  const service = startStandIn(serve);
  return {
    ...service,
    key,
    questions,
    uploads,
    addRun: (project, run) => void runs.set(project, (runs.get(project) ?? new Set()).add(run)),
  };
};
