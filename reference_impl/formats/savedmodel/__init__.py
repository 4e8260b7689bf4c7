"""The SavedModel format: a folder of graphs, functions, objects and signatures beside a checkpoint."""
