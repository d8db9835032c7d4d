import { describeError } from "../../../base/describe-error.ts";
import type { LaunchTrouble } from "../../core/machine/launch-trouble.ts";
import type { Environment } from "../../core/store.ts";
import { chooseScreenFolder } from "./screen-folder.ts";
import { tryLaunch } from "./try-launch.ts";

/** `suspect` is for who saw a launch fail by no fault of its job; `chooseFolder` gives what tells screen its folder. */
export type LaunchWatch = Readonly<{
  suspect: () => void;
  chooseFolder: () => Promise<Environment>;
  trouble: LaunchTrouble;
}>;

type Place = Readonly<{ serverDir: string; env: Environment; retryMs?: number | undefined }>;

type Knowledge = { isSuspected: boolean; text: string | null; triedAt: number; folder: Promise<Environment> | null };

const RETRY_MS = 3000;

const tryOnce = async ({ serverDir, env }: Place, known: Knowledge): Promise<void> => {
  try {
    const { folder, trouble } = await tryLaunch(serverDir, env);
    known.folder = Promise.resolve(folder);
    known.text = trouble;
  } catch (error) {
    known.text = `a trial of screen and script could not be made: ${describeError(error).split("\n")[0]}`;
  }
  known.isSuspected = known.text !== null;
  known.triedAt = performance.now();
};

export const createLaunchWatch = (place: Place): LaunchWatch => {
  const known: Knowledge = { isSuspected: false, text: null, triedAt: 0, folder: null };
  let trying: Promise<void> | null = null;
  const isDue = (): boolean =>
    known.isSuspected && (known.text === null || performance.now() - known.triedAt >= (place.retryMs ?? RETRY_MS));
  return {
    suspect: () => {
      known.isSuspected = true;
    },
    chooseFolder: () => {
      known.folder ??= chooseScreenFolder(place.serverDir, place.env);
      return known.folder;
    },
    trouble: {
      read: () => known.text,
      find: async () => {
        if (isDue())
          trying ??= tryOnce(place, known).finally(() => {
            trying = null;
          });
        await trying;
        return known.text;
      },
    },
  };
};
