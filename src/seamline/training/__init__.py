"""From cached clips to an exported bundle, with Lightning."""
