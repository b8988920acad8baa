"""Python reads this first wherever its folder is on PYTHONPATH: a job waits before it gives a file its name.

HOLD_AT is how that name ends. The job writes its number into the file HOLD_FILE and waits until that is gone;
a job that finds HOLD_FILE.once beside it does not wait again.
"""

import os
import time

if hold := os.environ.get("HOLD_AT"):
    told, once = os.environ["HOLD_FILE"], os.environ["HOLD_FILE"] + ".once"
    replace = os.replace

    def held(source, target, **options):
        if str(target).endswith(hold) and not os.path.exists(once):
            open(once, "w").close()
            with open(told + ".new", "w") as file:
                file.write(str(os.getpid()))
            replace(told + ".new", told)
            while os.path.exists(told):
                time.sleep(0.02)
        return replace(source, target, **options)

    os.replace = held
