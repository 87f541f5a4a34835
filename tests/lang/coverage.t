#!/bin/sh
# Each row of the tables has its tests: see coverage.
exec "${0%.t}"
