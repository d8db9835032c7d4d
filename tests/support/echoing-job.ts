/** The command of a job that prints the size of its terminal whenever that changes, and each line that it is told. */
export const ECHOING_JOB = `while :; do
  size=$(stty size)
  [ "$size" = "$last" ] || echo "now $size"
  last=$size
  read -t 0.1 part && echo "got $line$part" && line= && continue
  line=$line$part
done`;
