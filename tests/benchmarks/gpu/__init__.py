"""What an hour with a GPU is for, in one command: `make gpu`; see README.md beside this file."""
