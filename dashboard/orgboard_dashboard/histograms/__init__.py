"""Histograms as they were logged, and what can be told of them. Pure numpy.

buckets      ragged columns of exact buckets, and what of them is unsound
percentiles  nine bands, and statistics
distances    how far two histograms are apart
resample     other bins for drawing, which keep every area
"""
