import { quoteWord } from "../../../base/quote-word.ts";
import type { JobLink } from "../../../wire/links/link-paths.ts";

const MAKE_LINK = `  make_link() {
    local path=$1 target=$2 at=repo rest=$1
    while [[ $rest == */* ]]; do
      at+=/\${rest%%/*}
      rest=\${rest#*/}
      [[ -L $at ]] && fail "Could not link $path: \${at#repo/} is a link itself"
      [[ -d $at ]] || reason=$(mkdir -- "$at" 2>&1) || fail "Could not link $path: $(explain "$reason")"
    done
    at+=/$rest
    [[ -d $at && ! -L $at ]] && rmdir -- "$at" 2>/dev/null
    [[ -L $at || -e $at ]] && fail "Could not link $path: the code has something of that name"
    [[ -e $target ]] || fail "Could not link $path: there is no $target here, or the server may not see it"
    reason=$(ln -sT -- "$target" "$at" 2>&1) || fail "Could not link $path: $(explain "$reason")"
  }
`;

/** Runs where `fail` and `explain` are known, before anything of the job does; follows no link below `repo/`. An empty folder gives way. */
export const renderLinks = (links: readonly JobLink[]): string => {
  const calls = links.map(({ path, target }) => `  make_link ${quoteWord(path)} ${quoteWord(target)}\n`);
  return links.length === 0 ? "" : MAKE_LINK + calls.join("");
};
