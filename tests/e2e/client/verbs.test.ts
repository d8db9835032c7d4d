import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { tellJobFields } from "../../../src/server/core/jobs/fields/job-fields.ts";
import type { WireJob } from "../../../src/wire/job.ts";
import { renderLogMark } from "../../../src/wire/log-cut.ts";
import type { WireWait } from "../../../src/wire/wait.ts";
import { type Finished, NX, runProgram } from "../../support/programs.ts";

type Asked = Readonly<{ method: string; path: string; body: unknown; token: string | null }>;
type Answer = (path: string, asked: Asked) => Response | undefined;
type StandIn = Readonly<{ port: number | undefined; stop: (closeConnections: boolean) => Promise<void> }>;

const SHA_PATH = "/v1/artifacts/by-sha/";

let folder: string;
let asked: Asked[];
let answer: Answer;
let server: StandIn;

const createJob = (fields: Partial<WireJob> = {}): WireJob => ({
  ...tellJobFields({}),
  attempts: [],
  id: "abc123",
  command: "true",
  artifact_id: null,
  git_repo_url: null,
  git_branch: null,
  git_tag: null,
  git_commit: null,
  git_tree: null,
  git_dirty: null,
  workdir: null,
  code_root: null,
  status: "completed",
  created_at: 1,
  priority: 0,
  num_gpus: 1,
  env: {},
  env_names: [],
  carried_names: [],
  requested_gpu_idxs: [],
  node_name: "node",
  jobrc: null,
  integrations: [],
  notifications: [],
  notification_messages: {},
  pid: null,
  dir: null,
  started_at: 2,
  gpu_idxs: [0],
  wandb_url: null,
  wandb_note: null,
  waits_for_input_since: null,
  vram_peak_mib: null,
  gpu_use: null,
  vram_mib: null,
  min_vram_mib: null,
  gpu_type: null,
  marked_for_kill: false,
  completed_at: 3,
  exit_code: 0,
  error_message: null,
  user: "ada",
  ignore_blacklist: false,
  screen_session_name: null,
  output_globs: null,
  links: [],
  umask: "0022",
  input_artifact_id: null,
  outputs: {
    state: "none",
    files: 0,
    bytes: 0,
    left_out: { files: 0, bytes: 0 },
    kept_until: null,
    pulled: false,
  },
  notes: [],
  ...fields,
});

const refuse = (status: number, error: string): Response =>
  Response.json({ error, message: `it is ${error}`, status_code: status }, { status });

const takeRequest = async (request: Request): Promise<Response> => {
  const { pathname, search } = new URL(request.url);
  const text = await request.text();
  const isJson = request.headers.get("content-type") === "application/json";
  const token = request.headers.get("authorization");
  const facts = { method: request.method, path: pathname + search, body: isJson ? JSON.parse(text) : null, token };
  asked.push(facts);
  return answer(pathname, facts) ?? refuse(404, "NOT_FOUND");
};

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "nexus-verbs-"));
  mkdirSync(join(folder, "home", ".nexus"), { recursive: true });
  asked = [];
  answer = () => undefined;
  server = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: takeRequest });
});

afterEach(async () => {
  await server.stop(true);
  rmSync(folder, { recursive: true, force: true });
});

const createEnvironment = (more: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv => ({
  PATH: process.env["PATH"],
  HOME: join(folder, "home"),
  USER: "ada",
  NO_COLOR: "1",
  NS_PORT: String(server.port),
  NEXUS_AUTOSTART: "false",
  ...more,
});

const runHere = (argv: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Finished> =>
  runProgram(argv, { env: createEnvironment(env), cwd: folder });

const nx = (words: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Finished> => runHere([NX, ...words], env);

const listAsked = (method: string): readonly string[] =>
  asked.filter((request) => request.method === method).map(({ path }) => path);

const readPosted = (): readonly Readonly<Record<string, unknown>>[] =>
  asked.filter(({ method }) => method === "POST").flatMap(({ body }) => body as Readonly<Record<string, unknown>>[]);

const answerJobs =
  (...jobs: readonly WireJob[]): Answer =>
  (path) =>
    path === "/v1/jobs" ? Response.json(jobs) : undefined;

describe("what stands in the user's folder", () => {
  test("neither its .env nor its bunfig.toml reaches the client", async () => {
    answer = answerJobs();
    writeFileSync(join(folder, ".env"), "NS_PORT=1\n");
    writeFileSync(join(folder, "bunfig.toml"), 'preload = ["./preloaded.ts"]\n');
    writeFileSync(join(folder, "preloaded.ts"), "console.log('PRELOADED');\n");
    const queue = await nx(["queue", "--json"]);
    expect([queue.exitCode, queue.stdout, queue.stderr]).toEqual([0, "[]\n", ""]);
  });

  test.each(["nx", "nexus-server"])("%s leaves nothing there when there is no HOME", async (program) => {
    const bare = await runHere([join(NX, "..", program), "version"], { HOME: "", NS_PORT: "not a port" });
    expect(bare.exitCode).not.toBe(127);
    expect(readdirSync(folder)).toEqual(["home"]);
  });

  test("a proxy of the environment is not asked for the local server", async () => {
    answer = answerJobs();
    const proxy = { HTTP_PROXY: "http://127.0.0.1:1", http_proxy: "http://127.0.0.1:1" };
    expect((await nx(["queue", "-q"], proxy)).exitCode).toBe(0);
  });
});

describe("exit codes", () => {
  test("a target that there is not is named, with those that there are", async () => {
    const queue = await nx(["-t", "nowhere", "queue"]);
    expect([queue.exitCode, queue.stderr]).toEqual([5, 'nx: there is no target "nowhere"; the targets are: local\n']);
  });

  test.each([
    [["kill", "-y"], "queued", "running", "; take it out of the queue with: nx remove abc123"],
    [["kill", "-y"], "completed", "running", ""],
    [["remove", "-y"], "running", "queued", "; end it with: nx kill abc123"],
  ] as const)("nx %j of a job that is %s says so", async (words, status, wanted, advice) => {
    const job = createJob({ id: "abc123", status });
    answer = (path) => Response.json(path.endsWith("abc123") ? job : []);
    const acted = await nx([...words, "abc123"]);
    const message = `job abc123 is ${status}, not ${wanted}${advice}`;
    expect([acted.exitCode, acted.stderr, listAsked("POST")]).toEqual([6, `nx: ${message}\n`, []]);
  });

  test.each([
    [401, "INVALID_CREDENTIALS", 4],
    [403, "FORBIDDEN_ORIGIN", 4],
    [422, "VALIDATION_ERROR", 2],
    [400, "INVALID_REQUEST", 2],
    [400, "INVALID_JOB_STATE", 6],
    [404, "JOB_NOT_FOUND", 5],
    [403, "LIMIT_REACHED", 4],
    [403, "A_WORD_OF_LATER", 4],
    [418, "A_WORD_OF_LATER", 1],
    [503, "UNAVAILABLE", 1],
  ] as const)("a %d is told and ends as %s", async (status, code, exitCode) => {
    answer = () => refuse(status, code);
    const queue = await nx(["queue"]);
    expect([queue.exitCode, queue.stdout]).toEqual([exitCode, ""]);
    expect(queue.stderr).toBe(`nx: it is ${code}\n`);
  });

  test("a page of some other server is told in a line", async () => {
    answer = () => new Response("<html>");
    const queue = await nx(["queue"]);
    expect([queue.exitCode, queue.stderr]).toEqual([1, "nx: the server answered 200, not as a Nexus server would\n"]);
  });

  test("an unreachable server is named", async () => {
    const port = String(server.port);
    await server.stop(true);
    const queue = await nx(["queue"], { NS_PORT: port });
    expect([queue.exitCode, queue.stderr]).toEqual([
      3,
      `nx: the server "local" at http://127.0.0.1:${port} can't be reached: nothing listens there\n`,
    ]);
  });

  test.each(["http", "0", "65536"])("NS_PORT=%s is told in a line", async (port) => {
    const queue = await nx(["queue"], { NS_PORT: port });
    const message = `NS_PORT is "${port}", but a port is a whole number from 1 to 65535`;
    expect([queue.exitCode, queue.stdout, queue.stderr]).toEqual([2, "", `nx: ${message}\n`]);
  });

  test.each([
    "running extra",
    "health extra",
    "history one two",
    "get",
    "kill (",
    "run -g x true",
    "run -g 1 -c true",
    "add",
    "add -n pigeon true",
    "edit abc123",
    "blacklist add first",
  ])("nx %s is wrong usage", async (line) => {
    answer = answerJobs(createJob({ status: "running" }));
    const wrong = await nx(line.split(" "));
    expect([wrong.exitCode, wrong.stdout]).toEqual([2, ""]);
    expect(wrong.stderr).toStartWith("nx: ");
    expect(wrong.stderr.trimEnd().split("\n")).toHaveLength(1);
  });
});

describe("the settings file", () => {
  test("names a target, before or after the verb, and gives its token", async () => {
    answer = answerJobs();
    const text = `[targets.lab]\nhost = "127.0.0.1"\nport = ${server.port}\nprotocol = "http"\napi_token = "key"\n`;
    writeFileSync(join(folder, "home", ".nexus", "config.toml"), text);
    await nx(["-t", "lab", "queue"], { NS_PORT: "1" });
    await nx(["queue", "-t", "lab"], { NS_PORT: "1" });
    await nx(["queue"], { NS_PORT: "1", NEXUS_TARGET: "lab" });
    expect(asked.map(({ token }) => token)).toEqual(["Bearer key", "Bearer key", "Bearer key"]);
  });

  test("with a target whose port is none says so", async () => {
    writeFileSync(join(folder, "home", ".nexus", "config.toml"), '[targets.lab]\nhost = "gpu-box"\nport = "https"\n');
    const queue = await nx(["-t", "lab", "queue"]);
    const message = 'the port of the target "lab" is "https", but a port is a whole number from 1 to 65535';
    expect([queue.exitCode, queue.stderr]).toEqual([1, `nx: ${message}\n`]);
  });

  test("is told by its line when it is broken", async () => {
    writeFileSync(join(folder, "home", ".nexus", "config.toml"), 'user = "ada"\nport = \n');
    const queue = await nx(["queue"]);
    expect(queue.exitCode).toBe(1);
    expect(queue.stderr).toContain("config.toml, line 2");
  });

  test("a target without a host is told", async () => {
    writeFileSync(join(folder, "home", ".nexus", "config.toml"), "[targets.lab]\nport = 1\n");
    expect((await nx(["queue", "-t", "lab"])).stderr).toContain("[targets.lab] has no host");
  });
});

const MASKED_JOBRC = "module load cuda\nexport SENTRY_DSN=********\n";

describe("nx add", () => {
  test("sends each word as it was typed, in one batch, with the variables of all layers", async () => {
    answer = (path, { body }) =>
      path === "/v1/jobs/batch" ? Response.json((body as readonly unknown[]).map(() => createJob())) : undefined;
    writeFileSync(join(folder, "home", ".nexus", ".env"), "A=home\nB=home\n");
    writeFileSync(join(folder, ".env"), "B=here\n");
    writeFileSync(join(folder, "home", ".nexus", ".jobrc"), "module load cuda\n");
    const words = ["python3", "{a,b}.py", "\\{x,y\\}", "it's", "${HOME}"];
    const added = await nx(["add", "-q", "--no-git", "-p", "-3", "-e", "A=typed", ...words]);
    expect(added.stdout).toBe("abc123\nabc123\n");
    expect(added.stderr).toStartWith("Overridden variables: B, A\n");
    const rest = `'{x,y}' 'it'\\''s' '\${HOME}'`;
    expect(readPosted().map(({ command }) => command)).toEqual([`python3 a.py ${rest}`, `python3 b.py ${rest}`]);
    expect(listAsked("POST")).toEqual(["/v1/jobs/batch"]);
    expect(readPosted()[0]).toMatchObject({
      user: "ada",
      priority: -3,
      num_gpus: 1,
      env: { A: "typed", B: "here" },
      jobrc: "module load cuda\n",
      artifact_id: null,
    });
  });

  test("says of a server that knows no links that the job has none", async () => {
    const { links: _links, ...old } = createJob({ status: "queued" });
    answer = (path) => (path === "/v1/jobs/batch" ? Response.json([old], { status: 201 }) : undefined);
    const added = await nx(["add", "-q", "--no-git", "--link", "data=/etc", "true"]);
    expect([added.exitCode, added.stderr]).toEqual([
      0,
      "Warning: the server is too old for --link, and the job has no links\n",
    ]);
    expect(readPosted()).toMatchObject([{ links: [{ path: "data", target: "/etc" }] }]);
    expect((await nx(["add", "-q", "--no-git", "true"])).stderr).toBe("");
  });

  test("says of a server that does not know a field that nx edit changes nothing by it", async () => {
    const { time_limit_s: _time, ...old } = createJob({ status: "queued" });
    answer = (path) => (path === "/v1/jobs/abc123" ? Response.json(old) : undefined);
    const edited = await nx(["edit", "-q", "abc123", "--time", "2h", "--name", "base"]);
    expect([edited.exitCode, edited.stderr]).toEqual([
      0,
      "Warning: the server is too old for --time, and leaves that out\n",
    ]);
    expect((await nx(["edit", "-q", "abc123", "--name", "base"])).stderr).toBe("");
  });

  test("says of a server that knows no standard input that a job asked for again runs without it", async () => {
    const { input_artifact_id: _input, umask: _umask, ...old } = createJob({ status: "queued" });
    answer = (path) => {
      if (path === "/v1/jobs/abc123") return Response.json(createJob({ input_artifact_id: "a1", umask: "0077" }));
      return path === "/v1/jobs/batch" ? Response.json([old], { status: 201 }) : undefined;
    };
    const redone = await nx(["redo", "-q", "abc123"]);
    expect([redone.exitCode, redone.stderr]).toEqual([
      0,
      "Warning: the server is too old for standard input, and the job runs without it\n",
    ]);
    expect(readPosted()).toMatchObject([{ input_artifact_id: "a1", umask: "0077" }]);
  });

  test("refuses a verb or flags in the wrong place with the line that was meant, and takes a program of that name", async () => {
    const queue = await nx(["add", "queue"]);
    expect([queue.exitCode, queue.stderr]).toEqual([
      2,
      'nx: did you mean: nx queue ? If not, put the word "command" before your command\n',
    ]);
    expect((await nx(["add", "-y", "a b", "-c"])).stderr).toStartWith("nx: did you mean: nx add -c 'a b' ?");
    expect(asked).toEqual([]);
    writeFileSync(join(folder, "a b"), "");
    for (const words of [
      ["command", "queue"],
      ["command", "a  b", "-c"],
      ["a b", "-c"],
    ])
      expect((await nx(["add", "--dry-run", ...words])).exitCode).toBe(0);
  });

  test("says what #SBATCH lines would be, and takes them with --sbatch", async () => {
    writeFileSync(
      join(folder, "job.sh"),
      "#!/bin/bash\n#SBATCH --gres=gpu:2 --time=1:00 --mem-per-cpu=4G\n#SBATCH --array=1,3-4\n\ntrain\n",
    );
    const said = await nx(["add", "--dry-run", "bash", "job.sh"]);
    expect(JSON.parse(said.stdout)).toMatchObject([{ command: "bash job.sh", num_gpus: 1 }]);
    expect(said.stderr).toBe(
      "job.sh has #SBATCH lines, which --sbatch takes; they would be: " +
        "nx add -g 2 --time 1m 'SLURM_ARRAY_TASK_ID={1,{3..4}}' bash job.sh; without counterpart: --mem-per-cpu=4G\n",
    );
    const taken = await nx(["add", "--dry-run", "--sbatch", "job.sh", "a b"]);
    expect(taken.stderr).toBe("Not taken from job.sh: --mem-per-cpu=4G\n");
    expect(JSON.parse(taken.stdout)).toMatchObject(
      [1, 3, 4].map((id) => ({
        command: `SLURM_ARRAY_TASK_ID=${id} bash job.sh 'a b'`,
        num_gpus: 2,
        time_limit_s: 60,
      })),
    );
    const fewer = await nx(["add", "--dry-run", "--sbatch", "-g", "1", "job.sh"]);
    expect(JSON.parse(fewer.stdout)[0].num_gpus).toBe(1);
    writeFileSync(join(folder, "job.sh"), "#SBATCH -N 2\n");
    expect((await nx(["add", "--sbatch", "job.sh"])).stderr).toContain("can't be had here: --nodes=2");
    for (const words of [["job.sh"], ["true"], ["--literal", "job.sh"]])
      expect((await nx(["add", "--sbatch", ...words])).exitCode).toBe(2);
    expect(asked).toEqual([]);
  });

  test("refuses backslashes, code and words behind a quoted command that may be meant otherwise, and a comment", async () => {
    const refuse = async (...words: readonly string[]): Promise<string> => {
      const refused = await nx(["add", "--dry-run", ...words]);
      expect([refused.exitCode, refused.stdout]).toEqual([2, ""]);
      return refused.stderr;
    };
    expect(await refuse("grep", "a\\{2,3\\}", "f")).toBe(
      "nx: the backslashes of \\{2,3\\} may be a part of a program; --literal leaves them, --sweep takes them away\n",
    );
    expect(await refuse("sed -E 's/a{1,2}/b/'")).toBe(
      "nx: {1,2} may be a list of values or a part of a program; --literal leaves braces as they are, --sweep makes a job for each part\n",
    );
    expect(await refuse("python train.py", "--lr", "0.1")).toStartWith(
      "nx: did you mean: nx add 'python train.py --lr 0.1' ?",
    );
    await refuse("#comment");
    for (const [flag, command] of [
      ["--literal", "grep 'a\\{2,3\\}' f"],
      ["--sweep", "grep 'a{2,3}' f"],
    ] as const) {
      const dry = await nx(["add", "--dry-run", flag, "grep", "a\\{2,3\\}", "f"]);
      expect(JSON.parse(dry.stdout)).toMatchObject([{ command }]);
    }
    writeFileSync(join(folder, "job.sh"), "#SBATCH --gpus-per-socket=1\n");
    expect(await refuse("--sbatch", "job.sh")).toContain("can't be had here: --gpus-per-socket=1");
    const said = await nx(["add", "--dry-run", "bash job.sh"]);
    expect(said.stderr).toBe("job.sh has #SBATCH lines, which --sbatch can't take: --gpus-per-socket=1\n");
    expect(asked).toEqual([]);
  });

  test("with --dry-run sends nothing and shows no value of a variable", async () => {
    const dry = await nx(["add", "--dry-run", "-e", "TOKEN=secret", "true"]);
    expect([dry.exitCode, asked]).toEqual([0, []]);
    expect(JSON.parse(dry.stdout)[0].env).toEqual(["TOKEN"]);
    expect(dry.stdout).not.toContain("secret");
  });

  test.each(["add", "run"])("with --dry-run nx %s shows no secret of the jobrc", async (verb) => {
    writeFileSync(join(folder, "home", ".nexus", ".jobrc"), "module load cuda\nexport SENTRY_DSN=hush\n");
    const dry = await nx([verb, "--dry-run", "true"]);
    expect(JSON.parse(dry.stdout)).toEqual(
      verb === "add"
        ? [expect.objectContaining({ jobrc: MASKED_JOBRC })]
        : expect.objectContaining({ jobrc: MASKED_JOBRC }),
    );
  });

  test("refuses a list that may be a part of a program, and says how it stays one and how it makes jobs", async () => {
    const words = ["awk", "{print $1, $2}", "{a,b}"];
    const commands = async (...flags: readonly string[]): Promise<readonly string[]> => {
      const dry = await nx(["add", "--dry-run", ...flags]);
      expect(dry.stderr).toBe("");
      return JSON.parse(dry.stdout).map(({ command }: Readonly<{ command: string }>) => command);
    };
    for (const flags of [[], ["-y"]]) {
      const refused = await nx(["add", ...flags, ...words]);
      expect([refused.exitCode, refused.stdout, asked]).toEqual([2, "", []]);
      expect(refused.stderr).toBe(
        "nx: {print $1, $2} may be a list of values or a part of a program; --literal leaves braces as they are " +
          "(or write \\{print $1, $2\\}), --sweep makes a job for each part\n",
      );
    }
    expect(await commands("--literal", ...words)).toEqual(["awk '{print $1, $2}' '{a,b}'"]);
    expect(await commands("awk", "\\{print $1, $2\\}", "{,b}")).toEqual([
      "awk '{print $1, $2}'",
      "awk '{print $1, $2}' b",
    ]);
    expect(await commands("--sweep", "awk", "{print $1, $2}")).toEqual(["awk 'print $1'", "awk '$2'"]);
    expect((await nx(["add", "--literal", "--sweep", "true"])).exitCode).toBe(2);
    expect((await nx(["add", "--dry-run", "{,true}"])).exitCode).toBe(2);
  });

  test.each([
    ["add", "unhealthy", "Warning: the machine is unhealthy (30 of 100): disk 97 % used, 0.0 GiB free\n"],
    ["run", "unhealthy", "Warning: the machine is unhealthy (30 of 100): disk 97 % used, 0.0 GiB free\n"],
    ["add", "under_load", ""],
    ["add", null, ""],
  ])("nx %s tells of a machine that is %p: %p", async (verb, status, warning) => {
    const disk = { total: 100, used: 97, free: 3, percent_used: 97 };
    const health = { alive: true, status, score: 30, disk, network: null, system: null };
    answer = (path) => {
      if (path === "/v1/health") return status === null ? refuse(500, "INTERNAL_ERROR") : Response.json(health);
      return Response.json(path === "/v1/jobs/batch" ? [createJob()] : createJob());
    };
    const submitted = await nx([verb, "-q", "--no-git", "true"]);
    expect(submitted).toMatchObject({ exitCode: 0, stdout: "abc123\n", stderr: warning });
  });

  test("does not send a tree that the server has", async () => {
    await runHere(["git", "init", "--quiet", folder]);
    answer = (path) => {
      if (path.startsWith(SHA_PATH)) return Response.json({ exists: true, artifact_id: "known" });
      return path === "/v1/jobs/batch" ? Response.json([createJob()]) : undefined;
    };
    expect((await nx(["add", "-q", "true"])).exitCode).toBe(0);
    expect(readPosted()).toEqual([expect.objectContaining({ artifact_id: "known", jobrc: null })]);
  });
});

describe("nx alone", () => {
  const gpu = { memory_total: 100, memory_used: 1, uuid: null, utilization: null, temperature: null, power_draw: null };
  const rest = { ...gpu, name: "NVIDIA A100", process_count: 0, is_blacklisted: false, running_job_id: null };
  const url = `https://wandb.ai/lab/project/runs/${"x".repeat(80)}`;
  const answers: Readonly<Record<string, unknown>> = {
    "/v1/server/status": {
      gpu_count: 4,
      queued_jobs: 7,
      running_jobs: 2,
      completed_jobs: 0,
      server_user: "nexus",
      server_version: "0.0.1",
      node_name: "atlas",
      mock: true,
      gpu_error: null,
    },
    "/v1/health": {
      alive: true,
      status: "unhealthy",
      score: 30,
      disk: { total: 100, used: 97, free: 3, percent_used: 97 },
      network: null,
      system: null,
    },
    "/v1/gpus": [
      { ...rest, index: 0, running_job_id: "first1", process_count: 1, is_blacklisted: true },
      { ...rest, index: 1 },
      { ...rest, index: 2, process_count: 1 },
      { ...rest, index: 3, is_blacklisted: true },
    ],
    "/v1/jobs?status=running": [
      createJob({ id: "first1", status: "running", command: "train", wandb_url: url }),
      createJob({ id: "other2", status: "running", command: "sleep", gpu_idxs: [3] }),
    ],
    "/v1/jobs?status=queued&limit=5": [
      createJob({ id: "third3", status: "queued", started_at: null, command: "wait" }),
    ],
  };

  const answerStatus: Answer = (path, facts) => {
    const value = answers[facts.path] ?? answers[path];
    return value === undefined ? undefined : Response.json(value);
  };

  test("shows GPUs by their use, running jobs with their W&B pages, the queue's head, and warns", async () => {
    answer = answerStatus;
    const status = await nx([]);
    expect([status.exitCode, status.stdout]).toEqual([
      0,
      expect.stringMatching(
        new RegExp(
          [
            "^atlas \\(local, mock GPUs\\)\n\nGPUs",
            "  0  NVIDIA A100 .* 1/100 MiB  job first1, blacklisted",
            "  1  .*  available",
            "  2  .*  in use by others",
            "  3  .*  blacklisted\n\nRunning \\(2\\)",
            "ID      USER  GPU  RUNTIME  COMMAND",
            `first1  ada   0    .*  train\n        ${url.replaceAll(".", "\\.")}`,
            "other2  ada   3    .*  sleep\n\nQueued \\(7\\)",
            "#  ID .*",
            "1  third3 .* wait\n$",
          ].join("\n"),
        ),
      ),
    ]);
    expect(status.stderr.trimEnd().split("\n")).toEqual([
      "Warning: the GPUs are mock ones, so jobs run without a GPU",
      "Warning: the machine is unhealthy (30 of 100): disk 97 % used, 0.0 GiB free",
      expect.stringMatching(/^Warning: the server is 0\.0\.1, this client /),
    ]);
  });

  test("says once that the disk is full where that keeps jobs from starting", async () => {
    const status = { ...(answers["/v1/server/status"] as object), disk_error: "0 GB are free on the disk" };
    answer = (path, facts) => (path === "/v1/server/status" ? Response.json(status) : answerStatus(path, facts));
    const told = (await nx([])).stderr.split("\n").filter((line) => line.includes("disk"));
    expect(told).toEqual(["Warning: nothing starts: 0 GB are free on the disk"]);
  });

  test("asks all at once, and its JSON has the health", async () => {
    let waiting = 0;
    const gate = Promise.withResolvers<void>();
    await server.stop(true);
    server = Bun.serve({
      port: 0,
      hostname: "127.0.0.1",
      fetch: async (request) => {
        const { pathname, search } = new URL(request.url);
        waiting += 1;
        if (waiting === 5) gate.resolve();
        await gate.promise;
        return Response.json(answers[pathname + search] ?? answers[pathname]);
      },
    });
    const status = await nx(["--json"]);
    expect([status.exitCode, status.stderr]).toEqual([0, ""]);
    expect(JSON.parse(status.stdout)).toMatchObject({ health: { score: 30 }, target: "local", status: { mock: true } });
  });
});

describe("nx health", () => {
  const system = { cpu_percent: 99, memory_percent: 97, uptime: 1, load_avg: [9, 9, 9] };
  const disk = { total: 100, used: 60, free: 40, percent_used: 60 };
  const health = { alive: true, status: "unhealthy", score: 17, disk, network: null, system, gpus: null };

  test.each([
    [null, ""],
    ["no driver", "Warning: the GPUs can't be read, so GPU jobs wait: no driver\n"],
  ])("says of a busy machine that it is busy, and warns of a driver that says %p", async (gpu_error, warning) => {
    answer = (path) => Response.json(path === "/v1/health" ? health : { gpu_error });
    const told = await nx(["health"]);
    expect([told.exitCode, told.stdout, told.stderr]).toEqual([
      0,
      expect.stringMatching(/^busy \(17 of 100\)\n/),
      warning,
    ]);
  });
});

const streamOf = (...pieces: readonly string[]): Response => new Response(pieces.join(""));

describe("nx queue", () => {
  test.each([
    ["as many as are asked for", ["-n", "2"], 2, ""],
    ["more than are asked for", ["-n", "2"], 3, "The first 2 are shown; more with: nx queue --all\n"],
  ])("of %s", async (_case, flags, count, said) => {
    answer = answerJobs(...["one", "two", "six"].slice(0, count).map((id) => createJob({ id })));
    const queue = await nx(["queue", "-q", ...flags]);
    expect([queue.exitCode, queue.stdout, queue.stderr]).toEqual([0, "one\ntwo\n", said]);
  });
});

describe("nx run", () => {
  test("starts now under an id of its own, shows the log and ends with the job's exit code", async () => {
    answer = (path, { method }) => {
      if (method === "POST") return Response.json(createJob({ status: "running", exit_code: null }));
      if (path === "/v1/gpus") return Response.json([]);
      if (path.endsWith("/logs/stream")) return streamOf("one\r\n", "two");
      return Response.json(createJob({ status: "failed", exit_code: 7, error_message: "Job failed with exit code 7" }));
    };
    const run = await nx(["run", "--no-git", "exit 7"]);
    expect([run.exitCode, run.stdout]).toEqual([7, "one\ntwo"]);
    expect(run.stderr).toContain("Job abc123 failed with exit code 7");
    const [posted] = readPosted();
    expect(posted).toMatchObject({ command: "exit 7", run_immediately: true });
    expect(posted?.["job_id"]).toMatch(/^[a-z0-9]{6}$/);
  });

  test("advises to queue when no GPU is free", async () => {
    answer = () => refuse(500, "GPU_ERROR");
    const run = await nx(["run", "--no-git", "true"]);
    expect([run.exitCode, run.stderr]).toEqual([6, "nx: it is GPU_ERROR; queue it with: nx add …\n"]);
  });

  test.each([
    [["-g", "1"], "-f takes what is blacklisted; queue it with: nx add …"],
    [["-i", "0"], "-f takes what is blacklisted; queue it with: nx add …"],
    [["-i", "1"], "queue it with: nx add …"],
    [["-g", "2"], "queue it with: nx add …"],
  ])("says with %j that only the blacklist is in the way, where that is so", async (flags, hint) => {
    const gpus = [0, 1].map((index) => ({ index, running_job_id: index === 0 ? null : "abc", process_count: 0 }));
    const listed = gpus.map((gpu) => ({ ...gpu, is_blacklisted: gpu.index === 0 }));
    answer = (path) => (path === "/v1/gpus" ? Response.json(listed) : refuse(500, "GPU_ERROR"));
    const run = await nx(["run", "--no-git", ...flags, "true"]);
    expect([run.exitCode, run.stderr]).toEqual([6, `nx: it is GPU_ERROR; ${hint}\n`]);
  });

  test.each([
    ["-g", "2"],
    ["-i", "1"],
  ])("does not advise to queue what can never run: %s %s", async (flag, value) => {
    answer = (path) => (path === "/v1/gpus" ? Response.json([{ index: 0 }]) : refuse(500, "GPU_ERROR"));
    const run = await nx(["run", "--no-git", flag, value, "true"]);
    expect([run.exitCode, run.stderr]).toEqual([2, "nx: it is GPU_ERROR\n"]);
  });
});

describe("a log that is followed", () => {
  test("goes on where it was when the server comes back, nothing twice and nothing left out", async () => {
    let streams = 0;
    answer = (path) => {
      if (path.endsWith("/logs/stream")) {
        streams += 1;
        return streamOf(streams === 1 ? "one\nhalf a" : "one\nhalf a line\nlast\n");
      }
      return Response.json(createJob(streams < 2 ? { status: "running", exit_code: null } : { exit_code: 0 }));
    };
    const logs = await nx(["logs", "-F", "abc123"]);
    expect([logs.exitCode, logs.stdout]).toEqual([0, "one\nhalf a line\nlast\n"]);
  });

  test.each([
    [["logs", "-F", "abc123"], "resumable=true", 0],
    [["logs", "-F", "-n", "3", "abc123"], "resumable=true&last_n_lines=3", 500],
  ])(
    "%j goes on at the byte that the server names, past what it left out, and to the end of a job that has ended",
    async (words, first, start) => {
      const mark = renderLogMark({ from: 20, to: 9_000_000 });
      const answers = [
        { position: start, text: "one\nhalf a", status: "running" },
        { position: start + 10, text: ` line\n${mark}`, status: "completed" },
        { position: 9_000_000, text: "newest\n", status: "completed" },
      ] as const;
      let streams = 0;
      answer = (path) => {
        const { position, text, status } =
          answers[path.endsWith("/logs/stream") ? streams++ : streams - 1] ?? answers[2];
        const headers = { "x-nexus-log-position": String(position) };
        if (path.endsWith("/logs/stream")) return new Response(text, { headers });
        return Response.json(createJob({ status, exit_code: status === "running" ? null : 0 }));
      };
      const logs = await nx(words);
      expect([logs.exitCode, logs.stdout]).toEqual([0, `one\nhalf a line\n${mark.replaceAll("\r", "")}newest\n`]);
      const queries = listAsked("GET").flatMap((path) => path.split("/logs/stream?")[1] ?? []);
      expect(queries).toEqual([first, `from=${start + 10}`, `from=${start + 16}&marked=true`]);
    },
  );

  test.each([
    [{ status: "killed", exit_code: null }, 143],
    [{ status: "failed", exit_code: null, error_message: "Lost" }, 1],
    [{ status: "failed", exit_code: 0, error_message: "Out of time" }, 1],
  ] as const)("of a job that ended as %j ends with %d", async (fields, exitCode) => {
    answer = (path) => (path.endsWith("/logs/stream") ? streamOf("x\n") : Response.json(createJob(fields)));
    expect((await nx(["logs", "-F", "abc123"])).exitCode).toBe(exitCode);
    expect((await nx(["wait", "abc123"])).exitCode).toBe(exitCode);
  });

  test("ends with 130 at Ctrl-C and says how to come back", async () => {
    const open = new ReadableStream<Uint8Array>({ start: (to) => to.enqueue(new TextEncoder().encode("begun\n")) });
    answer = (path) =>
      path.endsWith("/logs/stream") ? new Response(open) : Response.json(createJob({ status: "running" }));
    const child = spawn(NX, ["logs", "-F", "abc123"], { cwd: folder, env: createEnvironment(), stdio: "pipe" });
    let errors = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      errors += text;
    });
    await new Promise((resolve) => child.stdout.once("data", resolve));
    child.kill("SIGINT");
    const exitCode = await new Promise((resolve) => child.once("close", resolve));
    expect([exitCode, errors]).toEqual([130, expect.stringContaining("nx logs -F abc123")]);
  });
});

describe("jobs named by words", () => {
  const running = [
    createJob({ id: "first1", status: "running", gpu_idxs: [0], command: "sleep 100" }),
    createJob({ id: "other2", status: "running", gpu_idxs: [2], command: "train \u001b[2Jhidden" }),
  ];

  test("a number is a GPU, never a part of a command", async () => {
    answer = (path, { method }) =>
      method === "POST" ? Response.json(null) : answerJobs(...running)(path, asked[0] as Asked);
    const idle = await nx(["kill", "-y", "1"]);
    expect([idle.exitCode, idle.stderr, listAsked("POST")]).toEqual([5, 'nx: no running job matches "1"\n', []]);
    expect((await nx(["kill", "-y", "-q", "2", "other2", "train"])).stdout).toBe("other2\n");
    expect(listAsked("POST")).toEqual(["/v1/jobs/other2/kill"]);
  });

  test.each(["kill", "remove"])(
    "nx %s takes an expression that would never end elsewhere, and says what none is",
    async (verb) => {
      const status = verb === "kill" ? "running" : "queued";
      const long = createJob({ id: "first1", status, command: `echo ${"x".repeat(5000)}` });
      answer = (path, { method }) =>
        method === "GET" ? answerJobs(long)(path, asked[0] as Asked) : Response.json(null);
      const none = await nx([verb, "-y", "^echo (x+x+)+y"]);
      expect([none.exitCode, none.stderr]).toEqual([5, `nx: no ${status} job matches "^echo (x+x+)+y"\n`]);
      expect(await nx([verb, "-y", "-q", "^echo (x+x+)+$"])).toMatchObject({ exitCode: 0, stdout: "first1\n" });
      for (const wrong of ["(", "(?=x)"]) {
        const refused = await nx([verb, "-y", wrong]);
        expect(refused.exitCode).toBe(2);
        expect(refused.stderr).toStartWith(`nx: "${wrong}" is no job, GPU or regular expression: `);
      }
    },
  );

  describe.each([
    [
      "kill",
      "running",
      "queued",
      "take them out of the queue with: nx remove",
      "take it out of the queue with: nx remove",
    ],
    ["remove", "queued", "running", "end them with: nx kill", "end it with: nx kill"],
  ] as const)("nx %s", (verb, wanted, other, adviseMany, adviseOne) => {
    beforeEach(() => {
      const jobs = [1, 2].map((seed) =>
        createJob({ id: `train${seed}`, status: other, gpu_idxs: [seed], command: `train.py --seed ${seed}` }),
      );
      answer = (path, request) => answerJobs(...(request.path.includes(`status=${other}`) ? jobs : []))(path, request);
    });

    test.each(["train.*seed", "seed [12]"])(
      `refuses what only ${other} jobs match, and names what is for them: %s`,
      async (word) => {
        const refused = await nx([verb, "-y", word]);
        const told = `nx: the 2 jobs that match "${word}" are ${other}, not ${wanted}; ${adviseMany} '${word}'\n`;
        expect([refused.exitCode, refused.stderr]).toEqual([6, told]);
      },
    );

    test(`names a single ${other} job by its id`, async () => {
      const refused = await nx([verb, "-y", "seed 2$"]);
      const told = `nx: job train2 is ${other}, not ${wanted}; ${adviseOne} train2\n`;
      expect([refused.exitCode, refused.stderr]).toEqual([6, told]);
    });

    test("says of what no job matches that there is none", async () => {
      const refused = await nx([verb, "-y", "eval"]);
      expect([refused.exitCode, refused.stderr]).toEqual([5, `nx: no ${wanted} job matches "eval"\n`]);
    });
  });

  test("a number that is no GPU of a running job is no part of a queued job's command", async () => {
    const queued = createJob({ id: "train2", status: "queued", gpu_idxs: [], command: "train.py --seed 2" });
    answer = (path, request) => answerJobs(...(request.path.includes("status=queued") ? [queued] : []))(path, request);
    const refused = await nx(["kill", "-y", "2"]);
    expect([refused.exitCode, refused.stderr]).toEqual([5, 'nx: no running job matches "2"\n']);
  });

  test("without a terminal nothing is killed unless -y is there, and what a job wrote is shown escaped", async () => {
    answer = answerJobs(...running);
    const kill = await nx(["kill", "other2"]);
    expect([kill.exitCode, listAsked("POST")]).toEqual([2, []]);
    expect(kill.stderr).toContain("-y");
    expect(kill.stderr).toContain("train \\x1b[2Jhidden");
    expect(kill.stderr).not.toContain("\u001b");
  });
});

describe("output", () => {
  test("a reader that goes away ends a verb quietly", async () => {
    answer = answerJobs(
      ...Array.from({ length: 5000 }, (_value, index) => createJob({ id: `j${index}`, command: "x".repeat(200) })),
    );
    const piped = await runHere(["bash", "-c", `"${NX}" history --all | head -n 1; echo "\${PIPESTATUS[0]}" >&2`]);
    expect(piped.stdout).toStartWith("ID");
    expect(piped.stderr.split("\n").length).toBe(2);
  });

  test("all of a large answer arrives at a slow reader", async () => {
    answer = answerJobs(
      ...Array.from({ length: 5000 }, (_value, index) => createJob({ id: `j${index}`, command: "x".repeat(200) })),
    );
    const piped = await runHere(["bash", "-c", `"${NX}" history --all --json | (sleep 0.2; wc -l)`]);
    expect(Number(piped.stdout)).toBeGreaterThan(5000 * 20);
  });

  test("blacklist says what changed, as JSON too", async () => {
    const change = { gpu_idx: 1, blacklisted: true, changed: true };
    answer = () => Response.json(change);
    expect((await nx(["blacklist", "add", "1"])).stdout).toBe("GPU 1 is blacklisted.\n");
    expect(JSON.parse((await nx(["blacklist", "add", "1", "--json"])).stdout)).toEqual([change]);
  });
});

describe("nx why", () => {
  const wait: WireWait = {
    id: "abc123",
    status: "queued",
    reason: "gpus_taken",
    until: null,
    keeps_from: null,
    text: "It needs 1 GPU, and none is free: GPU 0 runs job r of \u001b[31mann",
    position: 13,
    queue_length: 20,
    ahead: ["a1", "b2"],
    gpus: [],
    estimate: null,
  };
  const answerWait = (fields: Partial<WireWait> = {}): Answer => {
    const body = { ...wait, ...fields };
    return (path) => (path === "/v1/jobs/abc123/why" ? Response.json(body) : undefined);
  };

  test("says what a job waits for and its place in the queue, without control characters", async () => {
    answer = answerWait();
    const { exitCode, stdout } = await nx(["why", "abc123"]);
    expect([exitCode, stdout]).toEqual([
      0,
      "It needs 1 GPU, and none is free: GPU 0 runs job r of \\x1b[31mann.\nIt is number 13 of 20 in the queue, after a1, b2 and 10 more.\n",
    ]);
  });

  test("says about when it starts, where that is known", async () => {
    const day = new Date(2026, 11, 1, 14, 10).getTime() / 1000;
    answer = answerWait({ estimate: { from: day, to: day + 5400 } });
    expect((await nx(["why", "abc123"])).stdout).toMatch(
      /If no other comes, it starts about 2026-12-01 14:10:00 \S+ to 2026-12-01 15:40:00 \S+\.\n/,
    );
    answer = answerWait({ estimate: { from: day, to: day + 30 } });
    expect((await nx(["why", "abc123"])).stdout).toMatch(/it starts about 2026-12-01 14:10:30 \S+\.\n/);
  });

  test("of a job that does not wait says that alone", async () => {
    answer = answerWait({ text: "It does not wait: it is running", position: null });
    expect((await nx(["why", "abc123"])).stdout).toBe("It does not wait: it is running.\n");
  });

  test("prints the answer as JSON, and takes one job that is there", async () => {
    answer = answerWait();
    expect(JSON.parse((await nx(["why", "abc123", "--json"])).stdout)).toEqual(wait);
    expect((await nx(["why"])).exitCode).toBe(2);
    expect((await nx(["why", "abc123", "def456"])).exitCode).toBe(2);
    expect((await nx(["why", "none"])).exitCode).toBe(5);
  });

  test("and nx queue --json asks the server for the same", async () => {
    answer = answerJobs();
    await nx(["queue", "--json"]);
    await nx(["queue"]);
    expect(listAsked("GET")).toEqual([
      "/v1/jobs?status=queued&explain=true&limit=26",
      "/v1/jobs?status=queued&limit=26",
    ]);
  });
});

test("a server that can't serve a request is quoted with the request's id", async () => {
  answer = () => {
    const refusal = refuse(503, "UNAVAILABLE");
    refusal.headers.set("x-request-id", "r-1");
    return refusal;
  };
  const { exitCode, stderr } = await nx(["queue"]);
  expect([exitCode, stderr]).toEqual([1, "nx: it is UNAVAILABLE (request r-1)\n"]);
});
