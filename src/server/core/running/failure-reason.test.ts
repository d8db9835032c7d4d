import { describe, expect, test } from "bun:test";
import { findExitCause, findFailureReason, findLossCause } from "./failure-reason.ts";

const explain = (log: string): string | null => findFailureReason(log.split("\n"));

describe("the reason of a failure", () => {
  test.each([
    [
      "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total capacity of 23.64 GiB",
      "The GPU ran out of memory",
    ],
    ["RuntimeError: CUDA error: out of memory", "The GPU ran out of memory"],
    [
      "jaxlib.xla_extension.XlaRuntimeError: RESOURCE_EXHAUSTED: Out of memory while trying to allocate 17179869184 bytes.",
      "The GPU ran out of memory",
    ],
    [
      "RuntimeError: CUDA error: uncorrectable ECC error encountered",
      "The GPU has an uncorrectable memory (ECC) error",
    ],
    [
      "[ 99.1] NVRM: Xid (PCI:0000:3b:00): 79, pid=1234, GPU has fallen off the bus.",
      "The GPU's driver reported error Xid 79",
    ],
    [
      "[rank1]:[E ProcessGroupNCCL.cpp:616] [Rank 1] Watchdog caught collective operation timeout: WorkNCCL(SeqNum=5) ran for 600000 milliseconds",
      "A collective operation of NCCL timed out",
    ],
    ["OSError: [Errno 28] No space left on device: 'checkpoint.pt'", "The disk is full"],
    ["OSError: [Errno 122] Disk quota exceeded", "The disk quota is used up"],
    ["Memory cgroup out of memory: Killed process 4242 (python3)", "The kernel killed a process for want of memory"],
    ["slurmstepd: error: Detected 1 oom_kill event in StepId=1.0", "The kernel killed a process for want of memory"],
    [
      "/srv/jobs/a/job_commands.sh: line 4: 12345 Killed                  python train.py",
      "A process was killed (SIGKILL), as the kernel does when memory runs out",
    ],
    [
      "RuntimeError: DataLoader worker (pid(s) 7, 8) is killed by signal: Killed.",
      "A process was killed (SIGKILL), as the kernel does when memory runs out",
    ],
  ])("of %p", (line, reason) => {
    expect(explain(`epoch 1\n${line}\nCOMMAND_EXIT_CODE="1"`)).toBe(reason);
  });

  test("is the last exception of Python when nothing better is known", () => {
    const first = 'Traceback (most recent call last):\n  File "a.py", line 1, in f\n    x\nKeyError: 1';
    const second = `During handling of the above exception, another exception occurred:\n\nTraceback (most recent call last):
  File "train.py", line 9, in <module>
    load()
    ^^^^^^
my.data.MissingShard: shard 7 of 12 is gone
details on a further line`;
    expect(explain(`${first}\n\n${second}`)).toBe("my.data.MissingShard: shard 7 of 12 is gone");
    expect(explain("Traceback (most recent call last):\n  File\nKeyboardInterrupt\n")).toBe("KeyboardInterrupt");
  });

  test("of a known kind is told in its own words, not as the exception that it was", () => {
    const log =
      'Traceback (most recent call last):\n  File "t.py", line 1\ntorch.OutOfMemoryError: CUDA out of memory.';
    expect(explain(log)).toBe("The GPU ran out of memory");
  });

  test.each([
    "",
    "loss 0.1\nall done",
    "we were never killed\nKilled it!",
    "Traceback (most recent call last):\n  File",
  ])("is not made up: %p", (log) => {
    expect(explain(log)).toBeNull();
  });

  test("is short, and found at once in a long line", () => {
    expect(explain(`Traceback (most recent call last):\nValueError: ${"x".repeat(5000)}`)).toHaveLength(300);
    const startedAt = performance.now();
    explain(`${"(pid ".repeat(100_000)}\n${"NCCL operation ".repeat(50_000)}`);
    expect(performance.now() - startedAt).toBeLessThan(1000);
  });
});

describe("the cause of a failure", () => {
  test.each([
    ["machine", "torch: GPU has fallen off the bus"],
    ["machine", "OSError: [Errno 28] No space left on device"],
    ["gpu", "RuntimeError: CUDA error: uncorrectable ECC error encountered"],
    ["gpu", "NVRM: Xid (PCI:0000:01:00): 79, pid=1"],
    ["oom", "torch.cuda.OutOfMemoryError: CUDA out of memory. Tried to allocate 2 GiB"],
    ["oom", "Memory cgroup out of memory: Killed process 7"],
    ["nccl", "Watchdog caught collective operation timeout: WorkNCCL"],
    ["nccl", "ncclSystemError: System call (e.g. socket, malloc) or external library call failed"],
    ["exit", "ValueError: no such layer"],
  ] as const)("is %s by its log: %s", (cause, line) => {
    expect(findExitCause(["begin", line, "end"])).toBe(cause);
  });

  test("is the first that fits of the order in which causes are named", () => {
    expect(findExitCause(["ncclSystemError", "CUDA out of memory", "No space left on device"])).toBe("machine");
    expect(findExitCause(["CUDA out of memory", "uncorrectable ECC error"])).toBe("gpu");
    expect(findExitCause([])).toBe("exit");
  });

  test("is the machine where a session was lost or the disk was full, and none where no other attempt would help", () => {
    expect(findLossCause("Lost: the machine restarted")).toBe("machine");
    expect(findLossCause("Could not unpack the artifact: tar: x: No space left on device")).toBe("machine");
    expect(findLossCause("Could not unpack the artifact: it has more than 5 files")).toBeNull();
  });
});
