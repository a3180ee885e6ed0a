"""`python -m tsbench` is the command `tsbench`."""

from tsbench.cli import main

if __name__ == "__main__":
    main()
