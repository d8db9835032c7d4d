/** The folder in a user's home in which `nx` keeps what is theirs. */
export const OWN_FOLDER = ".nexus";

/** What `nx` keeps there, but for what completion needs. */
export const OWN_NAMES = ["config.toml", ".env", ".jobrc", "certificates"] as const;

export const SHELLS = ["bash", "zsh", "fish"] as const;

export type Shell = (typeof SHELLS)[number];

/** `configDir` is that of the XDG, `zshDir` that of zsh's start file. */
export type Homes = Readonly<{ home: string; configDir: string; zshDir: string }>;

/** `start` is the shell's start file and the line in it that reads the first of the scripts; null where the shell needs none. */
export type CompletionPlace = Readonly<{
  scripts: readonly string[];
  start: Readonly<{ path: string; line: string }> | null;
}>;

export const listHomes = (env: Readonly<Record<string, string | undefined>>, home: string): Homes => ({
  home,
  configDir: env["XDG_CONFIG_HOME"] || `${home}/.config`,
  zshDir: env["ZDOTDIR"] || home,
});

/** Where a shell's completion is put. */
export const locateCompletion = (shell: Shell, { home, configDir, zshDir }: Homes): CompletionPlace => {
  if (shell === "fish") {
    const scripts = ["nx.fish", "nexus.fish"].map((name) => `${configDir}/fish/completions/${name}`);
    return { scripts, start: null };
  }
  const script = `${home}/${OWN_FOLDER}/completion.${shell}`;
  const path = `${shell === "zsh" ? zshDir : home}/.${shell}rc`;
  return { scripts: [script], start: { path, line: `[ -r "${script}" ] && . "${script}"` } };
};
