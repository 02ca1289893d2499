# The checks that hold the house, each a ctest of its own; the slow one (clang-tidy) is tests/house/tidy.
find_package(Python3 REQUIRED COMPONENTS Interpreter)
foreach(check layers sizes mirrors calls format pitfalls pages mandoc)
	add_test(NAME house/${check}
		COMMAND ${Python3_EXECUTABLE} -B ${CMAKE_CURRENT_LIST_DIR}/house.py ${check} ${PROJECT_SOURCE_DIR})
	set_tests_properties(house/${check} PROPERTIES SKIP_RETURN_CODE 77 TIMEOUT 120)
endforeach()
add_test(NAME house/can_fail COMMAND ${Python3_EXECUTABLE} -B ${CMAKE_CURRENT_LIST_DIR}/house_can_fail.py)
set_tests_properties(house/can_fail PROPERTIES TIMEOUT 120)
