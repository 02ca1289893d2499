# Run by CPack on what it is about to pack: Debian wants manual pages and the changelog compressed; without names and
# times, so that two builds of the same sources are the same.
file(GLOB_RECURSE texts ${CPACK_TEMPORARY_DIRECTORY}/*/share/man/* ${CPACK_TEMPORARY_DIRECTORY}/*/changelog.Debian)
foreach(text IN LISTS texts)
	execute_process(COMMAND gzip -9n ${text} COMMAND_ERROR_IS_FATAL ANY)
endforeach()
