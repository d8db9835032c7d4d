import type { Failure } from "../../command-line/command.ts";
import { createFailureDocument } from "../../command-line/failure-document.ts";
import { INTERRUPTED, phraseFailure } from "../../command-line/usage.ts";
import { hint } from "./output.ts";

const tellInWords = (failure: Failure): void => hint(`nx: ${phraseFailure(failure)}`);

const leaveToOthers = (): void => {
  if (process.listenerCount("SIGINT") === 1) process.exit(INTERRUPTED);
};

const tellDocument = (failure: Failure): void => hint(JSON.stringify(createFailureDocument(failure)));

const describeExit = (exitCode: number): Failure => ({
  exitCode,
  message: exitCode === INTERRUPTED ? "interrupted" : "it failed; standard error says why",
});

const watchExit = (): ((failure: Failure) => void) => {
  let isTold = false;
  const tell = (failure: Failure): void => {
    isTold = true;
    tellDocument(failure);
  };
  process.on("SIGINT", leaveToOthers);
  process.on("exit", (exitCode) => {
    if (exitCode !== 0 && !isTold) tell(describeExit(exitCode));
  });
  return tell;
};

/** How a failure is told: in words, or as JSON in one line, the last one on standard error, however the program ends. */
export const chooseTelling = (isJson: boolean): ((failure: Failure) => void) => (isJson ? watchExit() : tellInWords);
