import { expect, onTestFinished, test } from "bun:test";
import { makeFolder, openIn } from "../../../../../tests/support/store.ts";
import { waitUntil } from "../../../../../tests/support/wait.ts";
import { endDrain } from "../../../core/queue/drain.ts";
import { changeDrains } from "./drains.ts";
import { nudgeServer, watchNudges } from "./nudge.ts";

test("a server is told each time that its drain was changed beside it", async () => {
  const folder = makeFolder();
  openIn(folder);
  let nudges = 0;
  onTestFinished(watchNudges(folder, () => nudges++));
  for (const _ of [1, 2]) {
    const before = nudges;
    expect(changeDrains(folder, (drains) => endDrain(drains, 1)).ok).toBe(true);
    await waitUntil(() => nudges > before, "it is told");
  }
});

test("where no server runs nobody is told, and nothing fails", () => {
  const folder = makeFolder();
  nudgeServer(folder);
  watchNudges(folder, () => undefined)();
  nudgeServer(`${folder}/nowhere`);
});
