"""`python -m seamline`: the same as the command `seamline`."""

from seamline.cli.main import app

if __name__ == "__main__":  # worker processes import this module again
    app()
