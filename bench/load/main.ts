import { parseArgs } from "node:util";
import { formatMs, printFigure } from "../harness.ts";
import { type LoadReport, runLoad } from "./run-load.ts";
import type { Use } from "./server-figures.ts";

const { values } = parseArgs({
  args: process.argv.slice(2),
  options: {
    minutes: { type: "string", default: "10" },
    clients: { type: "string", default: "64" },
    "think-ms": { type: "string", default: "100" },
    "sample-s": { type: "string", default: "60" },
  },
});

const formatUse = ({ rssMib, descriptors }: Use): string => `${rssMib.toFixed(0)} MiB, ${descriptors} descriptors`;

const printSample = (use: Use, secondsGone: number): void =>
  printFigure(`after ${(secondsGone / 60).toFixed(1)} min`, formatUse(use));

const printReport = ({ requests, limits, lag, starts, ...report }: LoadReport): void => {
  printFigure("requests answered", String(requests.count()), JSON.stringify(requests.statuses()));
  printFigure("a request, p50", formatMs(requests.at(0.5)), `p99 ${formatMs(requests.at(0.99))}`);
  printFigure("beyond the limits", String(limits.count()), JSON.stringify(limits.statuses()));
  printFigure("a refusal, p99", formatMs(limits.at(0.99)), `worst ${formatMs(limits.at(1))}`);
  printFigure("a line, printed → at a follower, p50", formatMs(lag.at(0.5)), `p99 ${formatMs(lag.at(0.99))}`);
  printFigure("a job of no length, sent → ended, p50", formatMs(starts.at(0.5)), `p99 ${formatMs(starts.at(0.99))}`);
  printFigure("a task of the scheduler, p99 below", formatMs(report.tickP99));
  printFigure("the event loop late, p99 below", formatMs(report.loopLagP99));
  printFigure("followers cut off", String(report.cutFollowers));
  printFigure("before", formatUse(report.before));
  printFigure("after", formatUse(report.after), `${(report.settledInMs / 1000).toFixed(0)} s later`);
};

printReport(
  await runLoad({
    seconds: Number(values.minutes) * 60,
    clients: Number(values.clients),
    thinkMs: Number(values["think-ms"]),
    followers: { reading: 100, slow: 20, never: 20 },
    sampleMs: Number(values["sample-s"]) * 1000,
    onSample: printSample,
  }),
);
