"""`python -m vmprof.show LOG [VIEW] [options]`: the command `vmprofshow`."""

from __future__ import annotations

from ._cli import vmprofshow as main

if __name__ == "__main__":
    main()
