"""Collect evidence of why a run of OctoPrint ended, and decide the cause."""
