# man/: the manual, in mdoc.
dist_man_MANS +=
