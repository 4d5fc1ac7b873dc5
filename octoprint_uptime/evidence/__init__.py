"""Evidence that this process can read about why a run of OctoPrint ended."""
