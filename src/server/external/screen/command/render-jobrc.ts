import { quoteWord } from "../../../../base/quote-word.ts";

const JUDGE = `'nexus_judge "$?" "$LINENO" "\${#BASH_SOURCE[@]}"'`;
const STEP = `'{ nexus_step "$LINENO" "\${#BASH_SOURCE[@]}" "$BASH_COMMAND"; } 2>/dev/null'`;

const FUNCTIONS = `nexus_tell() {
  builtin printf '%s\\n' "$1" >| "$nexus_dir/jobrc_line"
}
nexus_judge() {
  (($3 == nexus_depth && BASH_SUBSHELL == 0)) || return 0
  nexus_tell "$2"
  builtin exit "$1"
}
nexus_step() {
  (($2 == nexus_depth && BASH_SUBSHELL == 0)) || return 0
  [[ $3 == 'builtin source <('* ]] && return
  nexus_tell "$1"
  builtin trap ${JUDGE} ERR
}
[[ -o posix ]] || trap() {
  builtin trap "$@" || return
  [[ $BASH_SUBSHELL == 0 && " \${*^^} " == *' ERR '* ]] || return 0
  ((\${#BASH_SOURCE[@]} == nexus_depth + 1)) || [[ " $* " == *' - '* ]] || return 0
  builtin trap ${JUDGE} ERR
}
nexus_parse() {
  local said code
  said=$(BASH_ENV= LC_ALL=C "$BASH" "$@" -n <(builtin printf '%s\\n' "$nexus_jobrc") 2>&1)
  code=$?
  [[ $said ]] && nexus_end=$'\\n'
  ((code == 0)) && return
  [[ $said =~ 'line '([0-9]+): ]]
  nexus_tell "\${BASH_REMATCH[1]:-1}"
  builtin printf '%s\\n' "$said"
  builtin exit "$code"
}`;

const SOURCED = `builtin printf %s ${quoteWord(`builtin trap ${STEP} DEBUG; `)}"$nexus_jobrc$nexus_end"`;

/**
 * Reads the jobrc into the shell that then runs the command. The file `jobrc_line` holds the line at which it stands, and is empty once it has ended well: whatever
 * ends the shell before that, the jobrc has failed there. `ERR` tells of a failing command as `set -e` would; where the jobrc takes that trap for itself, it is
 * set again at once, or before its next command. POSIX mode has no function of that name. A here-document that nothing ends would swallow what marks the jobrc's end, which is left out then. While bash is in a trap at its exit, `BASH_COMMAND` is the reading of the jobrc.
 */
export const renderJobrc = (jobrc: string): string => `${FUNCTIONS}
nexus_jobrc=${quoteWord(jobrc)}
nexus_depth=$((\${#BASH_SOURCE[@]} + 1))
nexus_tell 1 || exit 1
nexus_end=$'\\n\\n{ nexus_ended=1; } 2>/dev/null\\n'
nexus_parse -O extglob
nexus_options=$(set +o; shopt -p)
nexus_ended=
builtin trap ${JUDGE} ERR
builtin source <(${SOURCED})
{ nexus_status=$?; builtin trap - DEBUG ERR; } 2>/dev/null
if [[ ! $nexus_ended && $nexus_status != 0 ]]; then
  builtin shopt -q extglob || nexus_parse
  builtin exit "$nexus_status"
fi
{ builtin eval "$nexus_options"; } 2>/dev/null
: >| "$nexus_dir/jobrc_line" || builtin exit 1
builtin unset -f nexus_tell nexus_judge nexus_step nexus_parse trap
builtin unset -v nexus_jobrc nexus_depth nexus_options nexus_end nexus_ended nexus_status`;
