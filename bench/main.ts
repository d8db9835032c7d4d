import { benchAdd } from "./add.ts";
import { benchClientStart } from "./client-start.ts";
import { benchDecision } from "./decision.ts";
import { benchHolders } from "./holders.ts";
import { benchLaunch } from "./launch.ts";
import { benchMemory } from "./memory.ts";
import { benchNotifications } from "./notifications.ts";
import { benchOutputs } from "./outputs.ts";
import { benchPull } from "./pull.ts";
import { benchQueue } from "./queue.ts";
import { benchReading } from "./reading.ts";
import { benchSubmissions } from "./submissions.ts";

const BENCHES: Readonly<Record<string, () => Promise<void>>> = {
  client: benchClientStart,
  add: benchAdd,
  launch: benchLaunch,
  holders: benchHolders,
  outputs: benchOutputs,
  submissions: benchSubmissions,
  notifications: benchNotifications,
  decision: benchDecision,
  queue: benchQueue,
  reading: benchReading,
  memory: benchMemory,
  pull: benchPull,
};

const chosen = process.argv.slice(2);
for (const [name, bench] of Object.entries(BENCHES)) {
  if (chosen.length > 0 && !chosen.includes(name)) continue;
  process.stdout.write(`\n${name}\n`);
  await bench();
}
