import type { ForeignWords } from "../command-line/command.ts";

type Groups = readonly (readonly [names: string, advice: string])[];

const VERBS: Groups = [
  [
    "stop abort terminate end delete del scancel gcancel qdel canceljob pkill",
    "nx kill ends a running job, nx remove takes one out of the queue, nx cancel does both",
  ],
  ["rm dequeue unqueue drop", "nx remove takes a job out of the queue, nx kill ends a running one"],
  [
    "ls list ps jobs job squeue gqueue qstat q who",
    "nx shows GPUs and jobs, nx queue those that wait, nx running those that run",
  ],
  ["sinfo gpus gpu gpustat nvidia-smi nodes node gstat", "nx shows the GPUs, nx health how the machine is"],
  ["sbatch gbatch qsub bsub submit enqueue tsp ts new create", "nx add queues a command, nx run starts it now"],
  ["srun salloc exec start launch interactive shell bash", "nx run starts a command now, a shell without one"],
  ["rerun retry restart resubmit requeue again repeat clone", "nx redo adds a job again"],
  ["pause suspend stash", "nx hold keeps queued jobs from starting, what runs goes on"],
  ["resume unpause continue unhold", "nx release lets held jobs start"],
  ["info show describe inspect scontrol details stat sstat", "nx get tells all about a job, nx why why it waits"],
  ["tail cat follow output stdout stderr less print", "nx logs shows what a job printed, nx logs -F as it grows"],
  ["explain reason", "nx why says what a queued job waits for"],
  ["sacct seff past ended done finished", "nx history lists the ended jobs"],
  [
    "urgent prioritize prioritise renice nice modify change alter switch move bump sprio",
    "nx edit -p moves a queued job",
  ],
  ["download fetch copy cp scp rsync sync artifacts results", "nx pull fetches what a job made, nx files lists it"],
  ["join connect sattach screen open enter", "nx attach opens a running job's terminal"],
  ["monitor htop nvtop dashboard live", "nx top shows jobs and GPUs as they change"],
  ["drain disable exclude ban", "nx blacklist add keeps jobs off a GPU"],
  ["undrain enable include unban", "nx blacklist remove gives a GPU to jobs again"],
  ["parallel group", "how many jobs run at once is a matter of GPUs, and of max_cpu_jobs of the server"],
  ["clean clear reset prune", "nothing needs to be cleared: nx remove empties the queue, ended jobs go with time"],
  ["server servers host remote use login context", "nx target names the servers and switches between them"],
  ["settings configure conf", "nx config shows and changes them, nx setup asks for them"],
  ["init", "nx setup asks what is needed once"],
  ["secret secrets variables vars", "nx env shows and sets the variables of your jobs"],
  ["notifications alert", "nx notify test sends a notification"],
  ["check doctor ping", "nx health says how the machine is"],
  ["comment annotate label rename", "nx note writes down something about a job, nx edit --name names it"],
  ["compare", "nx diff shows what differs between two jobs"],
  ["import migrate", "nexus-server import takes over what an earlier Nexus left"],
  ["serve daemon up down install uninstall", "that is a matter of nexus-server: see nexus-server --help"],
];

const FIRST_OWN_FLAGS: Groups = [
  ["--gpu --gres --num-gpus --n-gpus --ngpus --gpus-per-node --gpus-per-task --gpu-count -G", "gpu gpus"],
  ["--gpu-ids --gpu-id --gpu-idx --gpu-index --gpu-indices --device --devices --nodelist", "gpu-idxs gpu"],
  ["--no-gpu --cpu-only --no-gpus", "cpu"],
  ["--cpus-per-task --cpu-count --num-cpus --cores --threads --cpus-per-gpu", "cpus"],
  ["--memory --mem-per-cpu --mem-per-gpu --ram --mem-per-node", "mem"],
  ["--detached --background --bg --no-wait --no-follow --no-attach --immediate", "detach"],
  ["--times --num-jobs --copies --repeats --num -N", "repeat"],
  ["--nice --prio --qos --order --urgent", "priority"],
  ["--assume-yes --no-confirm --noconfirm --no-ask --noninteractive", "yes non-interactive"],
  ["--export --environment --set-env --var --setenv", "env"],
  ["--envfile --dotenv", "env-file"],
  ["--mail-type --notification --notifications --email", "notify"],
  ["--include --keep --artifacts", "outputs"],
  ["--delay --at --start-time --not-before", "begin"],
  ["--dependency --afterok --depends-on", "after"],
  ["--afterany --after-all", "after-any"],
  ["--held --stashed --paused", "hold"],
  ["--job-name --label --title -J", "name"],
  ["--comment --description --message", "note"],
  ["--symlink --mount --bind --volume", "link"],
  ["--no-code --without-code", "no-git"],
  ["--check --test --test-only --dryrun --preview", "dry-run"],
  ["--tail --num-lines --limit --max --last", "lines count"],
  ["--stderr", "error"],
  ["--grep --filter --regex --pattern", "search"],
  ["--start --starttime --after --from --begin", "since"],
  ["--end --endtime --before --to", "until"],
  ["--fail --failures --errors --status --state", "failed"],
  ["--exit-code --code", "exit"],
  ["--username --owner", "user"],
  ["--format --columns", "fields json"],
  ["--read-only --readonly --view", "watch"],
  ["--time --time-limit --max-time --timelimit --walltime", "time timeout"],
  ["--timeout", "time"],
  ["--signal", "warn"],
  ["--host --server --machine --remote-host", "target"],
  ["--parsable --ids --short --silent-output", "quiet"],
  ["--update --reload --measure", "refresh"],
];

const ABSENT: Groups = [
  ["--ntasks --ntasks-per-node", "a job is one task: leave it out, or say --cpus"],
  ["--nodes -N", "a job runs on one machine: leave it out"],
  ["--partition --account --qos --group --cluster", "there are none: leave it out"],
  ["--reservation", "jobs go to GPUs that are reserved for their user: leave it out"],
  ["--array -a", "the command says it: nx add … '{1..10}'"],
  ["--out --log --log-file -o", "nx logs ID shows the output"],
  ["--error --stderr", "nx logs ID --error shows it"],
  ["--chdir --workdir --working-directory --cwd --dir -D", "a job runs in the folder that you stand in: cd there"],
  ["--wrap", "the command stands by itself: nx add 'a | b'"],
  ["--wait -W", "nx wait ID waits for a job, nx run for the one that it starts"],
  ["--pty --interactive --tty", "nx run opens a terminal by itself, and a shell without a command"],
  ["--container --image --conda --venv", "it is a part of the command or of the jobrc (see nx jobrc)"],
  ["--term", "nx kill sends TERM, and KILL ten seconds later"],
];

const spread = <Value>(groups: Groups, read: (advice: string) => Value): Readonly<Record<string, Value>> =>
  Object.fromEntries(
    groups.flatMap(([names, advice]) => names.split(" ").map((name) => [name, read(advice)] as const)),
  );

/** What Slurm, task-spooler, pueue, gflow and habit call things, and what it is here. */
export const FOREIGN_WORDS: ForeignWords = {
  verbs: spread(VERBS, (advice) => advice),
  flags: spread(FIRST_OWN_FLAGS, (names) => names.split(" ")),
  absent: spread(ABSENT, (advice) => advice),
};
