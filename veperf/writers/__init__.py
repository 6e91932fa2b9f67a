"""Writers of other tools' formats: a run, or the verdict on it, for whoever reads on."""
