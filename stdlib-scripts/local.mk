# stdlib-scripts/: the standard library of rules, installed in PICKET_DATADIR.
dist_pkgdata_DATA += \
	stdlib-scripts/CpuRunaway.pikt \
	stdlib-scripts/CpuRunaway_test.pikt \
	stdlib-scripts/DeletedFiles.pikt \
	stdlib-scripts/DeletedFiles_test.pikt \
	stdlib-scripts/DiskFilling.pikt \
	stdlib-scripts/DiskFilling_test.pikt \
	stdlib-scripts/FailedUnits.pikt \
	stdlib-scripts/FailedUnits_test.pikt \
	stdlib-scripts/LoadHigh.pikt \
	stdlib-scripts/LoadHigh_test.pikt \
	stdlib-scripts/LogFlood.pikt \
	stdlib-scripts/LogFlood_test.pikt \
	stdlib-scripts/MemoryEmergency.pikt \
	stdlib-scripts/MemoryEmergency_test.pikt \
	stdlib-scripts/OomKills.pikt \
	stdlib-scripts/OomKills_test.pikt \
	stdlib-scripts/PasswdProblems.pikt \
	stdlib-scripts/PasswdProblems_test.pikt \
	stdlib-scripts/ProcNumChk.pikt \
	stdlib-scripts/ProcNumChk_test.pikt \
	stdlib-scripts/ProcNumChkEmergency.pikt \
	stdlib-scripts/ProcNumChkEmergency_test.pikt \
	stdlib-scripts/QueueHigh.pikt \
	stdlib-scripts/QueueHigh_test.pikt \
	stdlib-scripts/QueuePurge.pikt \
	stdlib-scripts/QueuePurge_test.pikt \
	stdlib-scripts/SwapHigh.pikt \
	stdlib-scripts/SwapHigh_test.pikt \
	stdlib-scripts/Zombies.pikt \
	stdlib-scripts/Zombies_test.pikt \
	stdlib-scripts/alerts.cfg \
	stdlib-scripts/macros-freebsd.cfg \
	stdlib-scripts/macros-linux.cfg \
	stdlib-scripts/macros-macos.cfg \
	stdlib-scripts/macros-openbsd.cfg \
	stdlib-scripts/macros.cfg
