const SHEBANG = /^#![ \t]*(\S+)(?:[ \t]+(\S.*))?/;
const USUAL_SHELL = /^\/(?:usr\/)?bin\/((?:ba)?sh)$/;
const ENV = /^\/(?:usr\/)?bin\/env$/;

const leaveOutEnv = (program: string, options: readonly string[]): readonly string[] => {
  const named = options[0] === "-S" ? options.slice(1) : options;
  return ENV.test(program) && /^[^-=][^=]*$/.test(named[0] ?? "") ? named : [program, ...options];
};

/** What a script's first line says that runs it, with its options; else bash. */
export const readInterpreter = (script: string): readonly string[] => {
  const [, program, options = ""] = SHEBANG.exec(script) ?? [];
  if (program === undefined) return ["bash"];
  const words = leaveOutEnv(
    program,
    options.split(/\s+/).filter((word) => word !== ""),
  );
  return words.map((word) => USUAL_SHELL.exec(word)?.[1] ?? word);
};
