"""`python -m config` writes the example file and the README's table of settings anew."""

from config.reference import renew

if __name__ == "__main__":
    renew()
