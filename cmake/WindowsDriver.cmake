# SPDX-License-Identifier: MIT
#
# Kernel modules for Windows from object libraries, without Visual Studio.
#
#     windows_driver_options(TARGET...)
#
# compiles the object libraries for the kernel.
#
#     add_windows_driver(NAME OBJECTS TARGET... IMPORTS DEF...
#                        [EXPORTS DEF] [RESOURCE FILE] [SUBSYSTEM MAJOR.MINOR])
#
# links them into NAME.sys, with NAME.pdb beside it, in the current binary directory; the target is NAME.
# The same object libraries can be linked several times, with other IMPORTS.
#
# IMPORTS   .def files of what is imported, made into import libraries. Where two of them have a name, the
#           first one has it: a module that stands in for some of the kernel goes before the kernel.
# EXPORTS   a .def file of what NAME.sys itself exports; another module's IMPORTS may name the same file.
# RESOURCE  a .rc file
# SUBSYSTEM the oldest Windows that loads it; 6.3, Windows 8.1, where it is not given

include_guard(GLOBAL)

set(AVB_LINK_DRIVER ${CMAKE_CURRENT_LIST_DIR}/link_driver.py)
get_filename_component(AVB_SOURCE_ROOT ${CMAKE_CURRENT_LIST_DIR} DIRECTORY)

# Debian has some of these only with the version in their names.
foreach(tool lld-link llvm-dlltool llvm-rc)
    string(MAKE_C_IDENTIFIER "AVB_${tool}" variable)
    string(TOUPPER ${variable} variable)
    find_program(${variable} NAMES ${tool} ${tool}-19 ${tool}-18 ${tool}-17 ${tool}-16 ${tool}-15 ${tool}-14 REQUIRED)
endforeach()
# The system's own Python before others on PATH.
find_program(AVB_PYTHON python3 PATHS /usr/bin NO_DEFAULT_PATH)
find_program(AVB_PYTHON NAMES python3 python REQUIRED)

# mingw-w64's headers for drivers lie below its others.
find_path(AVB_DDK_INCLUDE ntifs.h PATHS /usr/x86_64-w64-mingw32/include /mingw64/include /clang64/include
    ENV MINGW_PREFIX PATH_SUFFIXES ddk include/ddk NO_DEFAULT_PATH REQUIRED)

function(windows_driver_options)
    foreach(target IN LISTS ARGN)
        set_target_properties(${target} PROPERTIES C_STANDARD 11 C_STANDARD_REQUIRED ON C_EXTENSIONS OFF)
        target_include_directories(${target} SYSTEM PRIVATE ${AVB_DDK_INCLUDE})
        target_compile_definitions(${target} PRIVATE _WIN32_WINNT=0x0603 NTDDI_VERSION=0x06030000)
        target_compile_options(${target} PRIVATE
            -O2 -g -gcodeview
            # The result does not depend on the build directory.
            -ffile-prefix-map=${AVB_SOURCE_ROOT}=. -fdebug-compilation-dir=. -fcoverage-compilation-dir=. -fno-ident
            # Freestanding code gets no unwind tables unless it is told to; without them an exception, or a
            # look at the stack, that passes through the driver stops the system.
            -ffreestanding -fasynchronous-unwind-tables
            # __try
            -fms-extensions
            -fno-strict-aliasing -fno-common
            # load_config.c is what these two rest on.
            -fstack-protector-strong
            "SHELL:-Xclang -cfguard"
            # A kernel stack has 24 KiB for all drivers together.
            -Wframe-larger-than=2048
            -Wall -Wextra -Wconversion -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Werror)
    endforeach()
endfunction()

# The import library of a .def file; its path goes to `library`.
function(avb_import_library definition library)
    get_filename_component(definition ${definition} ABSOLUTE)
    get_filename_component(name ${definition} NAME_WE)
    set(output ${CMAKE_CURRENT_BINARY_DIR}/imports/${name}.lib)
    set(${library} ${output} PARENT_SCOPE)
    get_property(known GLOBAL PROPERTY AVB_IMPORT_LIBRARY_${output})
    if(NOT known)
        set_property(GLOBAL PROPERTY AVB_IMPORT_LIBRARY_${output} TRUE)
        add_custom_command(OUTPUT ${output}
            COMMAND ${CMAKE_COMMAND} -E make_directory ${CMAKE_CURRENT_BINARY_DIR}/imports
            COMMAND ${AVB_LLVM_DLLTOOL} -m i386:x86-64 -d ${definition} -l ${output}
            DEPENDS ${definition} VERBATIM)
    endif()
endfunction()

function(add_windows_driver name)
    cmake_parse_arguments(PARSE_ARGV 1 ARG "" "EXPORTS;RESOURCE;SUBSYSTEM" "OBJECTS;IMPORTS")
    if(ARG_UNPARSED_ARGUMENTS OR NOT ARG_OBJECTS OR NOT ARG_IMPORTS)
        message(FATAL_ERROR "add_windows_driver(${name}): OBJECTS and IMPORTS are needed; "
            "not understood: ${ARG_UNPARSED_ARGUMENTS}")
    endif()
    if(NOT ARG_SUBSYSTEM)
        set(ARG_SUBSYSTEM 6.3)
    endif()
    set(output ${CMAKE_CURRENT_BINARY_DIR}/${name}.sys)

    set(inputs)
    foreach(target IN LISTS ARG_OBJECTS)
        list(APPEND inputs $<TARGET_OBJECTS:${target}>)
    endforeach()
    if(ARG_RESOURCE)
        get_filename_component(resource ${ARG_RESOURCE} ABSOLUTE)
        set(compiled ${CMAKE_CURRENT_BINARY_DIR}/${name}.res)
        # llvm-rc takes an absolute path such as /check/... for its option /c: the paths are relative.
        get_filename_component(folder ${resource} DIRECTORY)
        get_filename_component(file ${resource} NAME)
        file(RELATIVE_PATH result ${folder} ${compiled})
        add_custom_command(OUTPUT ${compiled}
            COMMAND ${AVB_LLVM_RC} /no-preprocess /fo ${result} ${file}
            WORKING_DIRECTORY ${folder} DEPENDS ${resource} VERBATIM)
        list(APPEND inputs ${compiled})
    endif()
    foreach(definition IN LISTS ARG_IMPORTS)
        avb_import_library(${definition} library)
        list(APPEND inputs ${library})
    endforeach()
    set(exports)
    if(ARG_EXPORTS)
        get_filename_component(exports_file ${ARG_EXPORTS} ABSOLUTE)
        set(exports /def:${exports_file} /implib:${name}.exports.lib)
    endif()

    add_custom_command(OUTPUT ${output}
        BYPRODUCTS ${CMAKE_CURRENT_BINARY_DIR}/${name}.pdb
        COMMAND ${AVB_PYTHON} ${AVB_LINK_DRIVER} ${name}.sys ${AVB_LLD_LINK} /nologo /out:${name}.sys
            /machine:x64 /driver /tsaware:no /subsystem:native,${ARG_SUBSYSTEM} /entry:DriverEntry /nodefaultlib
            # Loaded anywhere in 64 bits, its data not executable, its indirect calls checked.
            /dynamicbase /highentropyva /nxcompat /guard:cf
            # Given back after DriverEntry.
            /section:INIT,ERD
            # One result for one source; folding would make functions share an address.
            /brepro /opt:ref,noicf
            /debug /pdb:${name}.pdb /pdbaltpath:${name}.pdb /pdbsourcepath:/ptpmon
            ${exports} ${inputs}
        WORKING_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR}
        DEPENDS ${inputs} ${exports_file} ${AVB_LINK_DRIVER}
        COMMAND_EXPAND_LISTS VERBATIM)
    add_custom_target(${name} ALL DEPENDS ${output})
endfunction()
