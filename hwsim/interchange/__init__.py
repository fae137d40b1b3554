"""Files of other programs, read into a Graph and written from one."""
