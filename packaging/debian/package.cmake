# The Debian package, by CPack: what CMake installs anywhere, and with it the component "debian", which is what
# belongs to a system with dpkg and systemd. "cmake --install" alone leaves that out, so that it writes below its
# prefix only. Included from the top; packaging/deb builds it.

# Behind our version; a package of the same version that shall replace an earlier one needs a higher one.
set(CARVED_DEBIAN_REVISION 1 CACHE STRING "Revision of the Debian package")
set(CARVED_DEBIAN_MAINTAINER "The carved authors <carved@example.org>" CACHE STRING
	"Who builds the Debian package and answers for it")

set(debian ${CMAKE_CURRENT_LIST_DIR})

function(debian_file source destination)
	install(FILES ${source} DESTINATION ${destination} COMPONENT debian EXCLUDE_FROM_ALL)
endfunction()

install(FILES ${debian}/changelog DESTINATION share/doc/carved RENAME changelog.Debian COMPONENT debian EXCLUDE_FROM_ALL)
debian_file(${debian}/copyright share/doc/carved)
debian_file(${debian}/carved.service lib/systemd/system)
install(FILES ${debian}/carved.sysusers DESTINATION lib/sysusers.d RENAME carved.conf COMPONENT debian EXCLUDE_FROM_ALL)
install(FILES ${debian}/carved.sysctl DESTINATION lib/sysctl.d RENAME 50-carved.conf COMPONENT debian EXCLUDE_FROM_ALL)
install(FILES ${debian}/carved.tmpfiles DESTINATION lib/tmpfiles.d RENAME carved.conf COMPONENT debian EXCLUDE_FROM_ALL)
install(FILES ${debian}/lintian-overrides DESTINATION share/lintian/overrides RENAME carved COMPONENT debian EXCLUDE_FROM_ALL)
debian_file(${PROJECT_SOURCE_DIR}/packaging/carved.yml /etc/carved)

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME carved)
set(CPACK_PACKAGE_DIRECTORY ${PROJECT_BINARY_DIR})
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE
	WORLD_READ WORLD_EXECUTE)
set(CPACK_INSTALL_CMAKE_PROJECTS "${PROJECT_BINARY_DIR};carved;ALL;/" "${PROJECT_BINARY_DIR};carved;debian;/")
set(CPACK_PRE_BUILD_SCRIPTS ${debian}/compress.cmake)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_RELEASE ${CARVED_DEBIAN_REVISION})
set(CPACK_DEBIAN_PACKAGE_MAINTAINER ${CARVED_DEBIAN_MAINTAINER})
set(CPACK_DEBIAN_PACKAGE_SECTION net)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
# libcurl is loaded when a detector asks for it, which dpkg-shlibdeps cannot see.
set(CPACK_DEBIAN_PACKAGE_DEPENDS "libcurl4 (>= 7.85), systemd | systemd-standalone-sysusers")
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS clamav-daemon)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA ${debian}/conffiles ${debian}/postinst ${debian}/prerm ${debian}/postrm)
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "watches, scans and accounts for files carved from network traffic")
set(CPACK_DEBIAN_PACKAGE_DESCRIPTION
"The daemon carved watches the directories where network sensors (Zeek,
Suricata, BroAPT, Malcolm, Security Onion, Strelka) write the files that they
extract from traffic. It sees to it that each of them is looked at once by the
right detectors (YARA, ClamAV, hash lists, commands, remote servers), and keeps
every answer in an SQLite database.

It also tells which files were not scanned, and why.")
include(CPack)
