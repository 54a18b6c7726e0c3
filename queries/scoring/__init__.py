"""Composite scores: from a table of numbers and a catalogue to scores, ranks, bands and reasons.

Arithmetic only: it knows no city, no database and no screen. Every choice is data (catalogue.py); rows are
places or other units, columns indicators; NaN = missing, which is never zero. The order of the work:

table → denominate → missing → treat → normalise → weigh → aggregate → ranks
        (shrink: small areas; bands, sensitivity: how sure; change: why it moved; diagnose: for the analyst)

The steps are those of the OECD/JRC Handbook on Constructing Composite Indicators (2008), numbers 3 to 8.
"""
