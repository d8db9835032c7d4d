import { describe, expect, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { makeGpu, makeJob, makeQueued, makeState, makeView, NOW } from "../../../tests/support/top-samples.ts";
import { measureWidth } from "../terminal/text-width.ts";
import { reactToKey } from "./actions.ts";
import { paintLine, readLine } from "./line.ts";
import { renderScreen } from "./render.ts";
import type { TopState } from "./top-state.ts";

const FOLDER = join(import.meta.dirname, "screens");

const BUSY = makeView({
  gpus: [
    makeGpu(0, { memory_used: 40_213, utilization: 97, temperature: 61, process_count: 1, running_job_id: "k3f9ab" }),
    makeGpu(1, { memory_used: 512, utilization: 3, temperature: null, process_count: 2 }),
    makeGpu(2, { is_blacklisted: true, utilization: null }),
    makeGpu(3),
  ],
  running: [
    makeJob(),
    makeJob({
      id: "cpu-evaluation-of-a-long-name",
      num_gpus: 0,
      gpu_idxs: [],
      user: "林小明的帳號",
      started_at: NOW - 5,
    }),
    makeJob({
      id: "t5x2mm",
      gpu_idxs: [4, 5],
      marked_for_kill: true,
      command: "sweep '漢字 🙂' --and a long list of words",
    }),
  ],
  queued: [
    makeQueued("p2q8zz", { command: "echo \u001b[2J\u001b]0;title\u0007\nrm -rf /\u202e" }),
    ...Array.from({ length: 30 }, (_job, index) => makeQueued(`job-${index}`, { priority: -index, num_gpus: 2 })),
  ],
});

const ODD = makeView({
  gpus: [
    makeGpu(0, { fault: "GPU is lost", memory_total: null, memory_used: null, utilization: null, temperature: null }),
    makeGpu(1, { unseen_use: "20480 MiB of its memory are taken", memory_used: 20_480 }),
    makeGpu(2, { doubt: "its power draw reads ERR!" }),
    makeGpu(3, { running_job_id: "k3f9ab", fault: "recovery action: GPU Reset" }),
  ],
  running: [makeJob({ gpu_idxs: [3] })],
});

const RESERVED = {
  ...{ id: "r3f9ab", gpu_idxs: [0, 1], user: "ann", why: null },
  ...{ from: NOW - 60, until: NOW + 7200 },
};
const KEPT = makeView({
  gpus: [
    makeGpu(0, { is_reserved: true, reservations: [RESERVED] }),
    makeGpu(1, { running_job_id: "k3f9ab", is_reserved: true, reservations: [RESERVED] }),
    makeGpu(2, { reservations: [{ ...RESERVED, from: NOW + 3600 }] }),
  ],
  running: [makeJob({ gpu_idxs: [1] })],
});

const SLOW = { ...ODD, status: { ...ODD.status, gpu_hint: "nvidia-smi takes 6.0 s to answer" } };

const LOG = { job: makeJob(), lines: Array.from({ length: 60 }, (_line, index) => `epoch ${index} loss 0.${index}`) };
const busy = (fields: Partial<TopState> = {}): TopState => makeState({ view: BUSY, log: LOG, ...fields });
const press = (state: TopState, key: string): TopState => reactToKey(state, key).state;

test("a queued job that is held, or is not to begin yet, says so before its command", () => {
  const queued = [makeQueued("held-job", { held: true }), makeQueued("free-job")];
  const view = makeView({ running: [], queued, gpus: [makeGpu(0)] });
  const text = renderScreen(makeState({ view })).map(readLine).join("\n");
  expect(text).toMatch(/held-job .* held: .*train/);
  expect(text).toMatch(/free-job (?!.*held).*train/);
});

const SCREENS: Readonly<Record<string, TopState>> = {
  busy: busy(),
  curve: busy({ curve: { id: "k3f9ab", text: "▁▁▂▅█ ▆" } }),
  idle: makeState({ view: makeView() }),
  odd: makeState({ view: SLOW }),
  reserved: makeState({ view: KEPT, columns: 110 }),
  queued: press(busy(), "end"),
  narrow: busy({ columns: 40, rows: 16 }),
  large: busy({ columns: 160, rows: 50 }),
  tiny: busy({ columns: 20, rows: 5 }),
  help: press(busy(), "?"),
  kill: press(busy(), "x"),
  priority: press(press(busy({ selected: "job-3" }), "p"), "7"),
  log: press(busy(), "l"),
  "log-back": press(press(busy(), "l"), "page up"),
  away: busy({
    now: NOW + 30,
    trouble: 'the server "lab" at https://lab:54323 can\'t be reached: nothing listens there',
  }),
  silent: busy({ now: NOW + 30 }),
};

const show = (state: TopState): string => `${renderScreen(state).map(readLine).join("\n")}\n`;

describe("the screen", () => {
  test.each(Object.entries(SCREENS))("%s is as it is kept (NEXUS_KEEP_SCREENS=1 keeps it anew)", (name, state) => {
    const path = join(FOLDER, `${name}.txt`);
    if (process.env["NEXUS_KEEP_SCREENS"] === "1") writeFileSync(path, show(state));
    expect(show(state)).toBe(readFileSync(path, "utf8"));
  });

  test("fills the terminal and stays within it, whatever its size", () => {
    const size = fc.integer({ min: 1, max: 120 });
    fc.assert(
      fc.property(size, size, fc.constantFrom(...Object.values(SCREENS)), (columns, rows, state) => {
        const lines = renderScreen({ ...state, columns, rows });
        expect(lines).toHaveLength(rows);
        for (const line of lines) expect(measureWidth(readLine(line))).toBeLessThanOrEqual(columns);
      }),
    );
  });

  test("holds no control character from a job, a user or a server", () => {
    const nasty = "a\u001b[2J\u009b\r\n\t\u202e\u0007";
    const job = makeJob({ command: nasty, user: nasty, id: nasty });
    const gpu = makeGpu(0, { name: nasty, running_job_id: nasty, fault: nasty });
    const view = makeView({ running: [job], gpus: [gpu, makeGpu(1, { doubt: nasty })] });
    const status = { ...view.status, node_name: nasty, server_version: nasty };
    const state = makeState({ view: { ...view, status }, target: nasty, log: { job, lines: [] } });
    for (const one of [
      state,
      press(state, "x"),
      press(state, "l"),
      { ...state, trouble: nasty },
      { ...state, notice: nasty },
    ])
      expect(show(one).replaceAll("\n", "")).not.toMatch(/[\p{Cc}\u202e]/u);
  });

  test("marks the selected job with and without colours", () => {
    const row = renderScreen(busy()).find((line) => readLine(line).startsWith(">"));
    expect(paintLine(row ?? [], true)).toStartWith("\u001b[7m>");
    expect(paintLine(row ?? [], false)).toStartWith(">k3f9ab");
  });

  test("does not grow slow with what a job's command and log hold", () => {
    const long = makeJob({ command: "x".repeat(128 * 1024) });
    const view = makeView({
      running: Array.from({ length: 200 }, (_job, index) => ({ ...long, id: `${index}` })),
    });
    const state = makeState({ view, log: { job: long, lines: [] } });
    expect(renderScreen(state)).toHaveLength(24);
  });
});
