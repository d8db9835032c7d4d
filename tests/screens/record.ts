import { join } from "node:path";
import type { WireJob } from "../../src/wire/job.ts";
import type { Health } from "../../src/wire/node.ts";
import type { WireReservation } from "../../src/wire/reservations/reservation.ts";
import { expireFiles } from "../support/expire-files.ts";
import { runProgram } from "../support/programs.ts";
import { createTmux, type Tmux, type Window } from "../support/tmux.ts";
import { waitUntil } from "../support/wait.ts";
import { createWorld, type World } from "../support/world.ts";
import { hideVarying } from "./hide-varying.ts";
import { type Form, type Part, SCENES, type Scene } from "./scenes.ts";

/** Texts of screens by their file's name. */
export type Screens = ReadonlyMap<string, string>;

type Show = (scene: Scene, line: string) => Promise<string>;

const A_DAY_S = 86_400;
const NX = join(import.meta.dirname, "..", "..", "nx");
const NODE_NAME = "gpu-box";
const TIME_ZONE = "Asia/Tokyo";
const USUAL_COLUMNS = 80;
const ROWS = 24;

const noteNewJobs = async (world: World, names: Map<string, string>): Promise<void> => {
  const response = await fetch(`${world.url}/v1/jobs?limit=1000`);
  for (const { id } of (await response.json()) as readonly WireJob[])
    if (!names.has(id)) names.set(id, `new-${String(names.size).padStart(2, "0")}`);
};

const noteNewReservations = async (world: World, names: Map<string, string>): Promise<void> => {
  const response = await fetch(`${world.url}/v1/reservations`);
  for (const { id } of (await response.json()) as readonly WireReservation[]) names.set(id, "resv-1");
};

const castJob = async (
  world: World,
  { name, status, request, isExpiring = false }: Part,
  names: Map<string, string>,
): Promise<void> => {
  const { id } = await world.submit(request);
  names.set(id, name);
  await world.waitFor(id, [status]);
  if (isExpiring) await expireFiles(world, id, Date.now() / 1000 + A_DAY_S);
};

const fillIn = (line: string, world: World, names: ReadonlyMap<string, string>): string =>
  [...names].reduce((filled, [id, name]) => filled.replaceAll(`{${name}}`, id), line.replaceAll("{url}", world.url));

const showInPipe =
  (world: World): Show =>
  async (_scene, line) => {
    const shell = ["bash", "-c", `nx() { '${NX}' "$@"; }; ${line}`];
    const env = { ...world.env, NO_COLOR: undefined, TZ: TIME_ZONE };
    const { stdout, stderr, exitCode } = await runProgram(shell, { env, cwd: world.home });
    const errors = stderr === "" ? "" : `--- standard error\n${stderr}`;
    return `${stdout}${errors}exit code ${exitCode}\n`;
  };

const giveAnswers = async (window: Window, { answers = [] }: Scene): Promise<void> => {
  for (const { see, text, key } of answers) {
    await window.see(see);
    if (text !== undefined) window.type(text);
    window.press(key);
  }
};

const clear = async (window: Window, columns: number): Promise<void> => {
  window.resize(columns, ROWS);
  window.type(`until [[ $(stty size) == '${ROWS} ${columns}' ]]; do sleep 0.05; done; clear`);
  window.press("Enter");
  await window.see(/^\$\n*$/);
};

const showOnTerminal =
  (window: Window): Show =>
  async (scene, line) => {
    await clear(window, scene.columns ?? USUAL_COLUMNS);
    const mark = `end of ${scene.name}:`;
    window.type(`clear; ${line}; printf '%s %s\\n' '${mark}' $?`);
    window.press("Enter");
    const start = new RegExp(`^${mark} \\d+$`, "m");
    await giveAnswers(window, scene);
    await window.see(start);
    const shown = window.readAll();
    return `${shown.slice(0, shown.search(start))}exit code ${/: (\d+)$/m.exec(shown.slice(shown.search(start)))?.[1]}\n`;
  };

const isHealthKnown = async ({ url }: World): Promise<boolean> => {
  const { disk, system } = (await (await fetch(`${url}/v1/health?detailed=true`)).json()) as Health;
  return disk !== null && system !== null;
};

const record = async (form: Form, world: World, show: Show): Promise<Screens> => {
  const names = new Map<string, string>();
  const screens = new Map<string, string>();
  await world.startServer({ NS_NODE_NAME: NODE_NAME, NS_MAX_QUEUED: "15" });
  await waitUntil(() => isHealthKnown(world), "health is measured");
  for (const scene of SCENES.filter(({ only = form }) => only === form)) {
    for (const part of scene.jobs ?? []) await castJob(world, part, names);
    const shown = await show(scene, fillIn(scene.line, world, names));
    await noteNewJobs(world, names);
    await noteNewReservations(world, names);
    screens.set(`${scene.name}.${form}.txt`, hideVarying(`$ ${scene.line}\n${shown}`, world, names));
  }
  return screens;
};

const recordPipe = async (): Promise<Screens> => {
  const world = await createWorld();
  try {
    return await record("pipe", world, showInPipe(world));
  } finally {
    await world.dispose();
  }
};

const openTerminal = (world: World): Tmux =>
  createTmux({ ...world, env: { ...world.env, NO_COLOR: undefined, TZ: TIME_ZONE } }, NX);

const recordTerminal = async (): Promise<Screens> => {
  const world = await createWorld();
  const tmux = openTerminal(world);
  try {
    return await record("terminal", world, showOnTerminal(await tmux.openWindow()));
  } finally {
    tmux.dispose();
    await world.dispose();
  }
};

/** Every scene in a pipe and on a terminal of 80 × 24 or as wide as it says, each form with a server of its own. */
export const recordScreens = async (): Promise<Screens> => {
  const forms = [recordPipe(), recordTerminal()];
  await Promise.allSettled(forms);
  const [pipe = [], terminal = []] = await Promise.all(forms);
  return new Map([...pipe, ...terminal]);
};
