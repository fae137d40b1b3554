"""The core of every reader: the graph while it is being read, whatever the file's format."""
