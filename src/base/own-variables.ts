const OF_SHELL = ["PWD", "OLDPWD", "SHLVL", "_"];
const OF_TERMINAL = ["TERM", "TERMCAP", "COLUMNS", "LINES"];
const OF_SCREEN_AND_TMUX = ["STY", "WINDOW", "SCREENDIR", "SCREENRC", "SYSSCREENRC", "TMUX", "TMUX_PANE"];
const OF_CODE = ["WANDB_GIT_COMMIT", "WANDB_GIT_REMOTE_URL"];
const OF_GPUS = ["CUDA_DEVICE_ORDER", "CUDA_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES", "ROCR_VISIBLE_DEVICES"];
const OF_RANK = ["RANK", "LOCAL_RANK", "GROUP_RANK", "ROLE_RANK", "NODE_RANK"];
const OF_WORLD = ["WORLD_SIZE", "LOCAL_WORLD_SIZE", "GROUP_WORLD_SIZE", "ROLE_WORLD_SIZE"];

const NAMES: ReadonlySet<string> = new Set([
  ...[OF_SHELL, OF_TERMINAL, OF_SCREEN_AND_TMUX, OF_CODE, OF_GPUS, OF_RANK, OF_WORLD].flat(),
]);

const PREFIXES = /^(?:GIT_|SLURM_|PMI|MASTER_|TORCHELASTIC_|NS_|NEXUS_)/;

/** Whether a variable is about one shell, terminal, launch, repository, server or job, and wrong in any other. */
export const isOfItsPlace = (name: string): boolean => NAMES.has(name) || PREFIXES.test(name);
