import json
import os
import sys

import wandb

for step in json.loads(sys.argv[1]):
    os.makedirs(step.get("dir", "."), exist_ok=True)
    run = wandb.init(**{name: value for name, value in step.items() if name != "dies"})
    run.log({"loss": 1.0})
    if step.get("dies"):
        os._exit(1)
    run.finish()
