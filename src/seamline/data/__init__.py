"""Tables of samples, splits and pseudo-fakes, without PyTorch."""
