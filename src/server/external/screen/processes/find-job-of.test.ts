import { expect, test } from "bun:test";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createRunning, HANDLE } from "../../../../../tests/support/samples.ts";
import { findJobOf } from "./find-job-of.ts";

const start = async (env: Readonly<Record<string, string>>, command = "echo $$; read x; exit") => {
  const child = spawn("bash", ["-c", command], { env: { PATH: process.env["PATH"], ...env }, stdio: "pipe" });
  const [text] = (await once(child.stdout, "data")) as [Buffer];
  return { child, pid: Number(text.toString()) };
};

test("a process is of the job whose id it bears, or from whose process or session it descends", async () => {
  const job = createRunning("a", { handle: { ...HANDLE, pid: process.pid } as never });
  const labelled = createRunning("b");
  const inner = await start({ NEXUS_JOB_ID: "b" }, "env -i bash -c 'echo $$; read x; exit'; exit");
  const plain = await start({});
  try {
    expect(findJobOf(inner.pid, [labelled])).toBe(labelled.id);
    expect(findJobOf(plain.pid, [labelled])).toBeNull();
    expect(findJobOf(plain.pid, [labelled, job])).toBe(job.id);
    expect(findJobOf(0, [labelled, job])).toBeNull();
  } finally {
    for (const { child } of [inner, plain]) {
      child.stdin.end("\n");
      await once(child, "exit");
    }
  }
});
