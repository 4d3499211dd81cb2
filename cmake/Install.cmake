# SPDX-License-Identifier: MIT
# What `make install` puts where: the directories are GNUInstallDirs', DESTDIR and --prefix work.
install(TARGETS ptpmon ptpmon_static ptpmon_shared
    RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR}
    LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}
    ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})

file(GLOB public_headers CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/include/*.h)
install(FILES ${public_headers} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/avb DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.h")

# The recordings that `ptpmon demo` shows where it cannot run live.
install(DIRECTORY ${PROJECT_SOURCE_DIR}/share/demo DESTINATION ${CMAKE_INSTALL_DATADIR}/ptpmon)

# The Python package, where the system's Python looks below this prefix. It needs no build.
find_program(system_python python3 PATHS /usr/bin NO_DEFAULT_PATH)
set(python_directory lib/python3/site-packages)
if(system_python)
    execute_process(COMMAND ${system_python} -c
        "import site, sys; debian = any('dist-packages' in path for path in site.getsitepackages());\
print('lib/python%d.%d/%s-packages' % (*sys.version_info[:2], 'dist' if debian else 'site'), end='')"
        OUTPUT_VARIABLE python_directory COMMAND_ERROR_IS_FATAL ANY)
endif()
set(PTPMON_PYTHON_DIR ${python_directory} CACHE STRING "Where the Python package goes, below the prefix")
install(DIRECTORY ${PROJECT_SOURCE_DIR}/python/ptp_monitor DESTINATION ${PTPMON_PYTHON_DIR}
    FILES_MATCHING PATTERN "*.py" PATTERN "py.typed" PATTERN "__pycache__" EXCLUDE)

file(GLOB manual_pages CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/docs/man/*.1)
install(FILES ${manual_pages} DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)

# What program, manual pages and README refer to, placed as in the source tree, so that every link leads there.
install(FILES LICENSE README.md CHANGELOG.md CONTRIBUTING.md DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(DIRECTORY docs examples include DESTINATION ${CMAKE_INSTALL_DOCDIR}
    FILES_MATCHING REGEX "\\.(md|png|1|c|h|py)$" PATTERN "__pycache__" EXCLUDE)
install(FILES python/README.md DESTINATION ${CMAKE_INSTALL_DOCDIR}/python)
install(FILES tests/vm/README.md DESTINATION ${CMAKE_INSTALL_DOCDIR}/tests/vm)

# Relative to its own place, so that the installed tree can be moved.
cmake_path(RELATIVE_PATH CMAKE_INSTALL_FULL_LIBDIR BASE_DIRECTORY ${CMAKE_INSTALL_PREFIX} OUTPUT_VARIABLE libdir)
cmake_path(RELATIVE_PATH CMAKE_INSTALL_FULL_INCLUDEDIR BASE_DIRECTORY ${CMAKE_INSTALL_PREFIX} OUTPUT_VARIABLE includedir)
cmake_path(RELATIVE_PATH CMAKE_INSTALL_PREFIX BASE_DIRECTORY ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig
    OUTPUT_VARIABLE prefix_from_pkgconfig)
configure_file(${CMAKE_CURRENT_LIST_DIR}/ptpmon.pc.in ${PROJECT_BINARY_DIR}/ptpmon.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/ptpmon.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
