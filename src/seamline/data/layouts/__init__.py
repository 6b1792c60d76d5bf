"""How public collections lie on a disk: one pure function a collection, folder in, samples out."""
