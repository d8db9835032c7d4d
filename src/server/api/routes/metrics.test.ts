import { expect, test } from "bun:test";
import { createGpu, createHarness } from "../harness.test.ts";

const SAMPLE = /^[a-z_]+(\{[a-z_]+="[^"]*"(,[a-z_]+="[^"]*")*\})? [0-9.e+-]+$/;

test("jobs, GPUs, memory and the figures of others are there in Prometheus text", async () => {
  const { call, submit, startJob } = createHarness([createGpu(0), createGpu(1), createGpu(2, [5]), createGpu(3)]);
  await submit({ job_id: "a" });
  await submit({ job_id: "b" });
  await startJob("b", [0]);
  await call("PUT", "/v1/gpus/1/blacklist");
  const response = await call("GET", "/metrics");
  expect(response.headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
  const text = await response.text();
  const lines = text.trimEnd().split("\n");
  for (const line of [
    'nexus_jobs{status="queued"} 1',
    'nexus_jobs{status="running"} 1',
    'nexus_jobs{status="ended"} 0',
    'nexus_gpus{state="running"} 1',
    'nexus_gpus{state="blacklisted"} 1',
    'nexus_gpus{state="occupied"} 1',
    'nexus_gpus{state="free"} 1',
    "nexus_gpu_probe_up 1",
    'nexus_build_info{version="1.2.3",node="atlas"} 1',
    "nexus_extra 1",
  ]) {
    expect(lines).toContain(line);
  }
  expect(text).toContain("process_resident_memory_bytes");
  expect(lines.filter((line) => !line.startsWith("#") && !SAMPLE.test(line))).toEqual([]);
});
