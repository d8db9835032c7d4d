import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { WireJob } from "../../../src/wire/job.ts";
import { startAgent } from "../../support/agent.ts";
import { ROOT } from "../../support/programs.ts";
import { createWorld, type World } from "../../support/world.ts";

type Cost = { calls: number; waits: number; characters: number; sent: number };
type Ended = Readonly<{ id: string; lines: readonly string[] }>;

const MOST_CALLS = 7;
const MOST_CHARACTERS = 6000;
const RATES = [1, 2, 3, 4, 5];
const BEST = 3;
const TRAIN = `for epoch in $(seq 40); do echo "epoch $epoch loss 0.$((1000 - epoch))"; done
echo "accuracy 0.$((90 - ($1 - ${BEST}) * ($1 - ${BEST})))"
echo weights > model.pt
`;
const GUIDE = readFileSync(join(ROOT, "docs", "agents.md"), "utf8");
const TOLERANCE = 0.2;

let world: World;
let folder: string;

beforeAll(async () => {
  world = await createWorld();
  await world.startServer({ NS_MOCK_GPUS: "4" });
  folder = join(world.folder, "project");
  mkdirSync(folder);
  writeFileSync(join(folder, "train.sh"), TRAIN);
  for (const words of [
    ["init", "-qb", "main"],
    ["add", "."],
    ["commit", "-qm", "begin"],
  ])
    await world.git(words, folder);
});

afterAll(() => world.dispose());

const nameCommand = (rate: number): string => `bash train.sh ${rate}`;

const readAccuracy = ({ lines }: Ended): number =>
  Number(/^accuracy (\S+)/.exec(lines.find((line) => line.startsWith("accuracy")) ?? "")?.[1]);

const chooseBest = (ended: readonly Ended[]): string =>
  ended.toSorted((a, b) => readAccuracy(b) - readAccuracy(a))[0]?.id ?? "";

const expectBestAgain = async (id: string): Promise<void> => {
  const job = await world.waitFor(id);
  expect([job.status, job.command]).toEqual(["completed", nameCommand(BEST)]);
};

const doByTools = async (): Promise<Cost> => {
  const agent = await startAgent(world, folder);
  const cost: Cost = { calls: 0, waits: 0, characters: 0, sent: 0 };
  const call = async (name: string, given: Readonly<Record<string, unknown>>) => {
    const { facts, text } = await agent.call(name, given);
    cost.calls += 1;
    cost.waits += Number(name === "wait");
    cost.characters += text.length;
    cost.sent += text.length + JSON.stringify(facts).length;
    return facts;
  };
  const submit = async (name: string, given: Readonly<Record<string, unknown>>): Promise<readonly string[]> => {
    const shown = await call(name, given);
    return (await call(name, { ...given, confirm: shown["confirm"] }))["submitted"] as string[];
  };
  const ids = await submit("submit", { commands: RATES.map(nameCommand) });
  const ended = await call("wait", { ids, search: "^accuracy", lines: 1 });
  const [again = ""] = await submit("redo", { id: chooseBest(ended["jobs"] as Ended[]) });
  await agent.close();
  await expectBestAgain(again);
  return cost;
};

const doByVerbs = async (): Promise<Cost> => {
  const cost: Cost = { calls: 0, waits: 0, characters: 0, sent: 0 };
  const nx = async <Value>(...words: readonly string[]): Promise<Value> => {
    const { stdout, stderr } = await world.nx(words, folder);
    cost.calls += 1;
    cost.waits += Number(words[0] === "wait");
    cost.characters += stdout.length + stderr.length;
    return JSON.parse(stdout) as Value;
  };
  const jobs = await nx<readonly WireJob[]>("add", "-y", "--json", `bash train.sh {${RATES.join(",")}}`);
  const ids = jobs.map(({ id }) => id);
  await nx("wait", "--json", ...ids);
  const ended: Ended[] = [];
  for (const id of ids) {
    const { data } = await nx<{ data: string }>("logs", "--json", "-n", "3", id);
    ended.push({ id, lines: data.split(/\r?\n/) });
  }
  const [again] = await nx<readonly WireJob[]>("redo", "--json", chooseBest(ended));
  await expectBestAgain(again?.id ?? "");
  return { ...cost, sent: cost.characters };
};

const readFigures = (way: string): readonly number[] => {
  const row = GUIDE.split("\n").find((line) => line.startsWith(`| ${way} `)) ?? "";
  return row
    .split("|")
    .slice(2, -1)
    .map((cell) => Number(cell.replaceAll(/[^\d]/g, "")));
};

const expectAsWritten = (way: string, { calls, characters }: Cost): void => {
  const [writtenCalls, written = 0] = readFigures(way);
  expect([way, calls]).toEqual([way, writtenCalls ?? 0]);
  expect(
    Math.abs(characters - written) / written,
    `${way}: ${characters} characters, ${written} in docs/agents.md`,
  ).toBeLessThan(TOLERANCE);
};

test("five runs, compared by a figure of their logs, and the best again: few calls, few characters", async () => {
  const tools = await doByTools();
  expect(tools.calls).toBeLessThanOrEqual(MOST_CALLS);
  expect(tools.sent).toBeLessThanOrEqual(MOST_CHARACTERS);
  expect(tools.waits).toBe(1);
  const verbs = await doByVerbs();
  expectAsWritten("MCP", tools);
  expectAsWritten("`nx --json`", verbs);
});

test("what an agent reads of the tools before its first call is as written", async () => {
  const agent = await startAgent(world, folder);
  const { tools } = await agent.client.listTools();
  await agent.close();
  const [written = 0] = [Number(/list of tools has (\d+ \d+) characters/.exec(GUIDE)?.[1]?.replace(" ", ""))];
  const length = JSON.stringify(tools).length;
  expect(Math.abs(length - written) / written, `the list of tools has ${length} characters`).toBeLessThan(
    TOLERANCE / 4,
  );
});
