"""A chosen mix: as a JSON configuration, and as one `torch.nn.Module`."""
