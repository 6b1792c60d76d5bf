"""The one road from a file to a model's inputs."""
