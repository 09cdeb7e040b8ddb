"""The commands, a file a group; each is thin: it reads arguments, calls a package, prints what came back."""
