import { quoteWord } from "../../../../base/quote-word.ts";

const READS_ALL = "tee|cat|ts|wc|sort";

const COUNT_REAPED = `nexus_count_reaped() {
  local line IFS=' '
  read -r line < "/proc/$$/stat"
  set -- \${line##*) }
  nexus_reaped=$9
}`;

const MARK = `nexus_mark() {
  local inside=$1 reader=\${2%%[[:space:]]*} status=$3 code=0 each
  nexus_marked=
  [[ ! $inside ]] && ((BASH_SUBSHELL == 0 && status == 141 && $# > 4 && \${!#} == 0)) || return 0
  [[ \${@: -2:1} == 141 && \${reader##*/} == @(${READS_ALL}) ]] && return 0
  for each in "\${@:4}"; do ((each == 0 || each == 141)) || code=$each; done
  nexus_count_reaped
  nexus_marked=$nexus_reaped:$code
  builtin trap '[[ $BASH_COMMAND == nexus_code=* ]] && builtin trap - DEBUG || nexus_marked=' DEBUG
}`;

const IS_PLAIN = `nexus_is_plain() {
  local text name IFS=$'\\n'
  text=$(builtin eval "nexus_text() {
$nexus_command
}" && builtin declare -f nexus_text) || return
  [[ $text =~ ($'\\n'' '*('}'|done|fi|esac)|' )')(' '[^$'\\n''|']*)?'|'[^'|'] ]] && return 1
  for name in $(builtin compgen -A function); do
    [[ $name != nexus_* && $text =~ (^|[[:space:]])"$name"([[:space:]][^$'\\n''|']*)?'|'[^'|'] ]] && return 1
  done
  return 0
}`;

const FINISH = `nexus_finish() {
  [[ $1 == 141 && $nexus_marked ]] || return "$1"
  nexus_count_reaped
  [[ \${nexus_marked%:*} == "$nexus_reaped" ]] && nexus_is_plain && return "\${nexus_marked#*:}"
  return "$1"
}`;

const ON_ERROR = `'{ nexus_mark "\${FUNCNAME-}" "$BASH_COMMAND" "$?" "\${PIPESTATUS[@]}"; } 2>/dev/null'`;

/**
 * Runs the command with `pipefail`, but where it ends with a pipeline of which all that failed before its last program ended with 141, as after SIGPIPE, that counts as 0.
 * `ERR` tells such a pipeline from one left of `&&` or `||`. It is the command's end if no process was reaped since (`cminflt` of `/proc/PID/stat`, see proc_pid_stat(5),
 * grows with each) and bash ran no further command (`DEBUG`). What is a group, a function, or read by a program that reads all, can't have died of
 * SIGPIPE without a reason of its own, and keeps its 141; so does all else that is in doubt.
 */
export const renderCommand = (command: string): string => `${COUNT_REAPED}
${MARK}
${IS_PLAIN}
${FINISH}
nexus_marked=
nexus_command=${quoteWord(command)}
set -o pipefail
builtin eval -- ${quoteWord(`builtin trap ${ON_ERROR} ERR; `)}"$nexus_command"; { nexus_code=$?; builtin trap - ERR DEBUG; nexus_finish "$nexus_code"; } 2>/dev/null
`;
