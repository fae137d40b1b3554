"""What a person and a script get to see of a Result: the terminal screen, the tables, the figures and the HTML page."""
