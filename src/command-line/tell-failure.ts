import type { Failure } from "./command.ts";
import { createFailureDocument } from "./failure-document.ts";
import { INTERRUPTED, phraseFailure } from "./usage.ts";

type Teller = Readonly<{ name: string; say: (line: string) => void }>;

const leaveToOthers = (): void => {
  if (process.listenerCount("SIGINT") === 1) process.exit(INTERRUPTED);
};

const describeExit = (exitCode: number): Failure => ({
  exitCode,
  message: exitCode === INTERRUPTED ? "interrupted" : "it failed; standard error says why",
});

const watchExit = ({ say }: Teller): ((failure: Failure) => void) => {
  let isTold = false;
  const tell = (failure: Failure): void => {
    isTold = true;
    say(JSON.stringify(createFailureDocument(failure)));
  };
  process.on("SIGINT", leaveToOthers);
  process.on("exit", (exitCode) => {
    if (exitCode !== 0 && !isTold) tell(describeExit(exitCode));
  });
  return tell;
};

const tellInWords =
  ({ name, say }: Teller) =>
  (failure: Failure): void =>
    say(`${name}: ${phraseFailure(failure)}`);

/** How a failure is told: in words, or as JSON in one line, the last one on standard error, however the program ends. */
export const chooseTelling = (teller: Teller, isJson: boolean): ((failure: Failure) => void) =>
  isJson ? watchExit(teller) : tellInWords(teller);
