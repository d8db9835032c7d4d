const SECRET_NAME = /key|token|secret|passw|passphrase|credential|webhook|auth|_sid|private/i;
const ASSIGNMENT = /^(\s*(?:export\s+|declare\s+-x\s+)?([A-Za-z_]\w*)=)\s*\S.*$/;

export const MASK = "********";

export const isSecretName = (name: string): boolean => SECRET_NAME.test(name);

/** In lines of a shell, the values of variables whose names tell of a secret. */
export const maskAssignments = (text: string): string =>
  text
    .split("\n")
    .map((line) => {
      const [, start = "", name = ""] = ASSIGNMENT.exec(line) ?? [];
      return isSecretName(name) ? `${start}${MASK}` : line;
    })
    .join("\n");
