"""The one entry: (graph, accelerator, inputs?) -> Result."""
