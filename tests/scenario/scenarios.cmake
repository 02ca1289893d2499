# Each scenario is a ctest of its own against the real binary: the one of this build, or $CARVED.
find_package(Python3 REQUIRED COMPONENTS Interpreter)
file(GLOB scenario_sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_LIST_DIR}/[0-9][0-9]_*.py)
foreach(source IN LISTS scenario_sources)
	get_filename_component(name ${source} NAME_WE)
	add_test(NAME scenario/${name} COMMAND ${Python3_EXECUTABLE} -B ${source} --carved $<TARGET_FILE:carved>)
	set_tests_properties(scenario/${name} PROPERTIES FAIL_REGULAR_EXPRESSION "${CARVED_FAIL_WORDS}"
		SKIP_RETURN_CODE 77 TIMEOUT 300)
endforeach()
