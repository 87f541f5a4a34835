# stdlib-scripts/: the standard library of rules, installed in PICKET_DATADIR.
dist_pkgdata_DATA +=
