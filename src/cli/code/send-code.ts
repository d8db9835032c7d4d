import { openAsBlob } from "node:fs";
import { join } from "node:path";
import { escapeText } from "../../base/escape-text.ts";
import { ok, type Result } from "../../base/result.ts";
import type { Failure, FlagValues } from "../../command-line/command.ts";
import { readSwitch } from "../../command-line/flag-values.ts";
import { fail } from "../../command-line/usage.ts";
import type { ArtifactCheck, ArtifactUpload } from "../../wire/artifact.ts";
import type { JobRequestInput } from "../../wire/job.ts";
import { MAX_ARTIFACT_BYTES } from "../../wire/limits.ts";
import type { Api } from "../connection/api-client.ts";
import { isTerminal } from "../terminal/is-terminal.ts";
import { hint } from "../terminal/output.ts";
import { confirm } from "../terminal/prompt.ts";
import { type Snapshot, takeSnapshot } from "./code-snapshot.ts";
import { refuseSize } from "./sizes/size-limit.ts";

type CodeFields = Pick<
  JobRequestInput,
  "artifact_id" | "git_repo_url" | "git_branch" | "git_commit" | "git_tree" | "git_dirty" | "workdir"
>;

/** What of a request is about the user's code. The snapshot is for the caller to dispose of. */
export type Code = Readonly<{ fields: Readonly<Required<CodeFields>>; snapshot: Snapshot | null }>;

type CheckSnapshot = (snapshot: Snapshot) => Promise<Result<void, Failure>>;

const NO_CODE: Code = {
  fields: {
    ...{ artifact_id: null, git_repo_url: null, git_branch: null, workdir: null },
    ...{ git_commit: null, git_tree: null, git_dirty: null },
  },
  snapshot: null,
};
const MIB = 1024 * 1024;

const openBody = async (path: string, bytes: number): Promise<Blob | ReadableStream<Uint8Array>> => {
  const blob = await openAsBlob(path);
  if (bytes <= MIB) return blob;
  if (isTerminal("errors")) return (await import("./upload-progress.ts")).showProgress(blob);
  hint(`Sending the code (${(bytes / MIB).toFixed(1)} MiB) …`);
  return blob;
};

const uploadTar = async (api: Api, snapshot: Snapshot): Promise<Result<string, Failure>> => {
  const path = join(snapshot.folder, "tree.tar");
  const written = await snapshot.writeTar(path);
  if (!written.ok) return written;
  if (written.value > MAX_ARTIFACT_BYTES) return refuseSize(written.value, snapshot.sizes);
  const body = await openBody(path, written.value);
  const uploaded = await api.upload<ArtifactUpload>(`/v1/artifacts?git_sha=${snapshot.treeSha}`, body);
  return uploaded.ok ? ok(uploaded.value.data) : uploaded;
};

const upload = async (api: Api, snapshot: Snapshot): Promise<Result<string, Failure>> => {
  const known = await api.get<ArtifactCheck>(`/v1/artifacts/by-sha/${snapshot.treeSha}`);
  if (!known.ok) return known;
  if (known.value.artifact_id !== null) return ok(known.value.artifact_id);
  return uploadTar(api, snapshot);
};

const describeSnapshot = (snapshot: Snapshot): Omit<Code["fields"], "artifact_id"> => ({
  git_repo_url: snapshot.remoteUrl,
  git_branch: snapshot.branch,
  git_commit: snapshot.commit,
  git_tree: snapshot.treeSha,
  git_dirty: snapshot.isDirty,
  workdir: snapshot.subFolder === "" ? null : snapshot.subFolder,
});

const sendSnapshot = async (api: Api, snapshot: Snapshot): Promise<Result<Code, Failure>> => {
  for (const warning of snapshot.warnings) hint(`Warning: ${escapeText(warning)}`);
  const artifact = await upload(api, snapshot);
  if (!artifact.ok) return artifact;
  return ok({ fields: { artifact_id: artifact.value, ...describeSnapshot(snapshot) }, snapshot });
};

const goWithoutCode = async (): Promise<Result<Code, Failure>> => {
  const problem = "this folder is in no git repository, so no code can travel";
  const question = "This folder is in no git repository. Run the job without code?";
  const answer = await confirm(question, problem, "use --no-git to run without it");
  if (!answer.ok) return answer;
  return answer.value ? ok(NO_CODE) : fail("nothing was submitted");
};

/** `check` looks at what would be sent, before anything is. */
export const sendCode = async (api: Api, flags: FlagValues, check: CheckSnapshot): Promise<Result<Code, Failure>> => {
  if (readSwitch(flags, "no-git")) return ok(NO_CODE);
  const snapshot = await takeSnapshot(process.cwd());
  if (snapshot === null) return goWithoutCode();
  if (!snapshot.ok) return snapshot;
  const checked = await check(snapshot.value);
  const code = checked.ok ? await sendSnapshot(api, snapshot.value) : checked;
  if (!code.ok) snapshot.value.dispose();
  return code;
};
