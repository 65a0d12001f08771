"""Becomes another program that ends when the process that asked for it ends.

Run as `python -I -S leash.py PARENT SIGNAL UID PROGRAM [ARGUMENT...]`; it imports next to nothing, so it costs a few
milliseconds and leaves no process of its own behind. `UID` 0 keeps the current user; any other is taken on for good
(PostgreSQL refuses to run as root). Where the system cannot tie a life to its parent's (anything but Linux), the
program simply runs.
"""

import ctypes
import os
import sys

PR_SET_PDEATHSIG = 1


def main() -> None:
    parent, signal, uid = (int(argument) for argument in sys.argv[1:4])
    if uid:
        os.setgroups([])
        os.setgid(uid)
        os.setuid(uid)
    if sys.platform == "linux":
        # After the change of user: the kernel forgets the wish when credentials change.
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal, 0, 0, 0)
        if os.getppid() != parent:
            sys.exit("the parent ended first")
    os.execv(sys.argv[4], sys.argv[4:])


if __name__ == "__main__":
    main()
