import { quoteWord } from "../../../../base/quote-word.ts";
import type { Environment } from "../../../core/store.ts";

/** Gives the devices' variables back the values that the job was given, and says where `source` had set another. */
export const renderDevices = (devices: Environment, source: string): string =>
  Object.entries(devices)
    .map(([name, value]) => {
      const given = quoteWord(value);
      const text = `Nexus: ${name}=${value} is what the job was given, so that of its ${source} is left out: `;
      const tell = `builtin printf '%s%q\\n' ${quoteWord(text)} "\${${name}-unset}"`;
      return `[[ \${${name}-unset} == ${given} ]] || ${tell}\nbuiltin export ${name}=${given} || exit 1`;
    })
    .join("\n");
