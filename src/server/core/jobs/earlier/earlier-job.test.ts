import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { wireJobSchema } from "../../../../wire/job.ts";
import { type ArtifactId, isEnded, type JobHandle } from "../job.ts";
import { toWireJob } from "../wire-job.ts";
import { type EarlierFacts, orderTaken, takeJob } from "./earlier-job.ts";
import type { EarlierRow } from "./earlier-row.ts";

const GONE: JobHandle = { kind: "screen", session: "nexus_job_a", pid: 0, startTicks: 0, bootId: "" };
const LIVING: JobHandle = { ...GONE, pid: 42, startTicks: 7, bootId: "boot" };

const FACTS: EarlierFacts = {
  session: null,
  describeGone: (pid) => ({ ...GONE, pid }),
  findArtifact: (id) => (id === "art1" ? ("new" as ArtifactId) : null),
  createdAt: 900,
  now: 1000,
};

const ROW: EarlierRow = {
  ...{ id: "a1", command: "echo", artifact_id: "art1", status: "queued", created_at: 5, priority: 0, num_gpus: 1 },
  ...{ env: "{}", integrations: "", notifications: "", notification_messages: "{}", gpu_idxs: "", user: "ada" },
};

const take = (fields: EarlierRow, facts: Partial<EarlierFacts> = {}) => {
  const taken = takeJob({ ...ROW, ...fields }, { ...FACTS, ...facts });
  if (!taken.ok) throw new Error(taken.error.message);
  return taken.value.job;
};

const anyCell = fc.oneof(
  fc.constantFrom(null, undefined, "", "{}", "{", "0,1", "a,b", "running", "queued", "completed", "art1", 0, -1, 0.5),
  fc.string(),
  fc.double(),
  fc.integer(),
  fc.uint8Array(),
);

describe("a row of the earlier Nexus", () => {
  test("is, whatever its cells hold, a job that clients can be shown, or told to be none", () => {
    const anyRow = fc.dictionary(
      fc.constantFrom(...Object.keys(ROW), "dir", "pid", "exit_code", "completed_at"),
      anyCell,
    );
    fc.assert(
      fc.property(anyRow, fc.constantFrom("queued", "running", "completed", "failed", "killed"), (cells, status) => {
        const taken = takeJob({ ...ROW, ...cells, status }, FACTS);
        if (!taken.ok) return;
        expect(wireJobSchema.safeParse(toWireJob(taken.value.job)).error).toBeUndefined();
        expect(isEnded(taken.value.job) ? taken.value.env : {}).toEqual({});
      }),
    );
  });

  test.each(["", "A", "../x", "a b", "a".repeat(65), 7, null])("whose id is %p is none", (id) => {
    expect(takeJob({ ...ROW, id }, FACTS).ok).toBe(false);
  });

  test("of a running job has the handle of its session, and the folder in which that runs", () => {
    const session = { handle: LIVING, dir: "/tmp/real", startedAt: 6, gpuIdxs: [0] };
    const row = { status: "running", dir: "/tmp/told", started_at: 7, gpu_idxs: "1", pid: 9, marked_for_kill: 1 };
    const running = { status: "running", startedAt: 7, gpuIdxs: [1], markedForKill: true } as const;
    expect(take(row, { session })).toMatchObject({ ...running, handle: LIVING, dir: "/tmp/real" });
    expect(take(row)).toMatchObject({ ...running, handle: { ...GONE, pid: 9 }, dir: "/tmp/told" });
  });

  test("of a queued job whose session lives is that of a running one", () => {
    const session = { handle: LIVING, dir: "/tmp/real", startedAt: 6, gpuIdxs: [0] };
    expect(take({ artifact_id: "gone" }, { session })).toMatchObject({
      ...session,
      status: "running",
      markedForKill: false,
    });
  });

  test("of a job that never started has the time of its end, or of its coming, as its start", () => {
    expect(take({ status: "failed", completed_at: 8 })).toMatchObject({ startedAt: 5, completedAt: 8 });
    expect(take({ status: "failed" })).toMatchObject({ startedAt: 5, completedAt: 5 });
    expect(take({ status: "failed", created_at: null })).toMatchObject({ createdAt: 900, completedAt: 900 });
  });
});

test("jobs that wait have times in the order of their rows, the earlier ones as they were", () => {
  fc.assert(
    fc.property(fc.array(fc.double({ min: 0, max: 2e9, noNaN: true })), (times) => {
      const taken = times.map((createdAt) => ({ job: take({ created_at: createdAt }), env: {} }));
      const ordered = orderTaken(taken).map(({ job }) => job.createdAt);
      expect(ordered.every((time, place) => place === 0 || time > (ordered[place - 1] ?? 0))).toBe(true);
      expect(ordered[0]).toBe(times[0] as number);
    }),
  );
});
