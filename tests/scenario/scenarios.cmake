# Each scenario is a ctest of its own, told to this build's binary; and once more, as release/NAME, to
# the one that CARVED_RELEASE_BINARY names: hardened, optimised, and as fast as it will be.
set(CARVED_RELEASE_BINARY "" CACHE FILEPATH "Another carved that the scenarios are also told to")
find_package(Python3 REQUIRED COMPONENTS Interpreter)

# What became of their files is collected, and the last test says it; to read it: ctest -R table -V.
set(rows ${CMAKE_BINARY_DIR}/scenarios.rows)
add_test(NAME scenario/rows COMMAND ${CMAKE_COMMAND} -E rm -f ${rows})
add_test(NAME scenario/table COMMAND ${Python3_EXECUTABLE} -B ${CMAKE_CURRENT_LIST_DIR}/table.py ${rows})
set_tests_properties(scenario/rows PROPERTIES FIXTURES_SETUP table)
set_tests_properties(scenario/table PROPERTIES FIXTURES_CLEANUP table)

function(carved_scenario name source binary)
	add_test(NAME ${name} COMMAND ${Python3_EXECUTABLE} -B ${source} --carved ${binary})
	set_tests_properties(${name} PROPERTIES FAIL_REGULAR_EXPRESSION "${CARVED_FAIL_WORDS}"
		SKIP_RETURN_CODE 77 TIMEOUT 900 FIXTURES_REQUIRED table
		ENVIRONMENT
		"CARVED_PRODUCER=$<TARGET_FILE:producer>;CARVED_FILLER=$<TARGET_FILE:filler>;CARVED_CHURN=$<TARGET_FILE:churn>;CARVED_WRONG_CLOCK=$<TARGET_FILE:wrong_clock>;CARVED_ACCOUNT=${rows}")
endfunction()

file(GLOB scenario_sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_LIST_DIR}/[0-9][0-9]_*.py)
foreach(source IN LISTS scenario_sources)
	get_filename_component(name ${source} NAME_WE)
	carved_scenario(scenario/${name} ${source} $<TARGET_FILE:carved>)
	if(CARVED_RELEASE_BINARY)
		carved_scenario(release/${name} ${source} ${CARVED_RELEASE_BINARY})
	endif()
endforeach()
