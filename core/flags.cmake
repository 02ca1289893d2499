# Flags and the two functions that every room is declared with.
#
# carved_plain_flags: what every object of ours is compiled with (definitions, hardening).
# carved_flags: the same with the sanitizers.
# carved_warnings(): the warning set, for product code only: Criterion's macros trip -Wconversion.
# carved_room(): one static library per room, "core/store" becomes carved_core_store.

include(GNUInstallDirs)
set(CARVED_LIBEXECDIR ${CMAKE_INSTALL_FULL_LIBEXECDIR}/carved)

add_library(carved_plain_flags INTERFACE)
target_compile_definitions(carved_plain_flags INTERFACE _GNU_SOURCE PCRE2_CODE_UNIT_WIDTH=8
	CARVED_VERSION="${PROJECT_VERSION}" CARVED_LIBEXECDIR="${CARVED_LIBEXECDIR}"
	CARVED_LIBEXEC="${CMAKE_INSTALL_LIBEXECDIR}/carved")
target_include_directories(carved_plain_flags INTERFACE ${PROJECT_SOURCE_DIR} ${PROJECT_BINARY_DIR})
target_compile_options(carved_plain_flags INTERFACE -fno-strict-overflow -fno-delete-null-pointer-checks)

add_library(carved_flags INTERFACE)
target_link_libraries(carved_flags INTERFACE carved_plain_flags)
if(CARVED_SANITIZE)
	target_compile_options(carved_flags INTERFACE -fsanitize=${CARVED_SANITIZE} -fno-omit-frame-pointer
		-fno-sanitize-recover=all)
	target_link_options(carved_flags INTERFACE -fsanitize=${CARVED_SANITIZE})
elseif(CMAKE_BUILD_TYPE STREQUAL "Release")
	target_compile_options(carved_plain_flags INTERFACE -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3
		-fstack-protector-strong -fstack-clash-protection -ftrivial-auto-var-init=zero)
	if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|i[3-6]86")
		target_compile_options(carved_plain_flags INTERFACE -fcf-protection=full)
	endif()
	target_link_options(carved_plain_flags INTERFACE -Wl,-z,relro,-z,now,-z,noexecstack,--as-needed)
endif()

function(carved_warnings target)
	target_compile_options(${target} PRIVATE -Wall -Wextra -Wpedantic -Wshadow -Wstrict-prototypes
		-Wmissing-prototypes -Wold-style-definition -Wconversion -Wsign-conversion -Wformat=2 -Wundef
		-Wvla -Wwrite-strings -Wcast-qual -Wpointer-arith -Wnull-dereference -Wimplicit-fallthrough)
	if(CMAKE_C_COMPILER_ID STREQUAL "GNU")
		target_compile_options(${target} PRIVATE -Wcast-align=strict -Wduplicated-cond
			-Wduplicated-branches -Wlogical-op -Wjump-misses-init)
	endif()
endfunction()

# carved_room(core/store LINKS PkgConfig::SQLITE ROOMS core/base core/entry)
function(carved_room room)
	cmake_parse_arguments(PARSE_ARGV 1 ARG "" "" "LINKS;ROOMS;SOURCES")
	string(REPLACE "/" "_" target "carved_${room}")
	file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.c)
	if(room MATCHES "^core/")
		file(GLOB sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/${room}/*.c)
	endif()
	set(visibility PUBLIC)
	if(sources OR ARG_SOURCES)
		add_library(${target} STATIC ${sources} ${ARG_SOURCES})
		carved_warnings(${target})
	else()
		set(visibility INTERFACE)
		add_library(${target} INTERFACE)
	endif()
	target_link_libraries(${target} ${visibility} carved_flags Threads::Threads ${ARG_LINKS})
	foreach(other IN LISTS ARG_ROOMS)
		string(REPLACE "/" "_" other_target "carved_${other}")
		target_link_libraries(${target} ${visibility} ${other_target})
	endforeach()
endfunction()
