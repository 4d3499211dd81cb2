# SPDX-License-Identifier: MIT
# What the user side needs on Windows, from 8.1 on: the system's own DLLs, and none of mingw-w64's.
add_compile_definitions(
    _WIN32_WINNT=0x0603 NTDDI_VERSION=0x06030000 UNICODE _UNICODE WIN32_LEAN_AND_MEAN
    # Formats, times and offsets as on every other system.
    __USE_MINGW_ANSI_STDIO=1 _POSIX_THREAD_SAFE_FUNCTIONS=200112L _FILE_OFFSET_BITS=64
    # Neither the files nor their messages say where they were built.
    )
add_compile_options(-ffile-prefix-map=${PROJECT_SOURCE_DIR}=.)
# Loaded anywhere in 64 bits, data not executable; one result for one source.
add_link_options(-static -Wl,--dynamicbase,--high-entropy-va,--nxcompat,--no-insert-timestamp)

enable_language(RC)
string(REPLACE "." "," PTPMON_VERSION_COMMAS "${PROJECT_VERSION}.0")

# What Explorer shows of a program (type 1) or a DLL (2).
function(ptpmon_version_resource target PTPMON_FILE_TYPE PTPMON_FILE_NAME PTPMON_FILE_DESCRIPTION)
    configure_file(${PROJECT_SOURCE_DIR}/cmake/version.rc.in ${CMAKE_CURRENT_BINARY_DIR}/${target}.rc @ONLY)
    target_sources(${target} PRIVATE ${CMAKE_CURRENT_BINARY_DIR}/${target}.rc)
endfunction()
